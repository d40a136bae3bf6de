package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Backend;
import dev.quern.gguf.GgufFile;
import dev.quern.testkit.Golden;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many sessions on many threads, of two models on one backend: each as if it were alone. */
class ManyThreadsTest {
  private static final int THREADS = 8;
  private static final int ROUNDS = 2;
  private static final LoadOptions OPTIONS =
      LoadOptions.exact().withContext(48).withSequences(THREADS).withChunk(8);

  private static LanguageModel load(Backend backend, String name) throws IOException {
    try (InputStream stream = Golden.model(name)) {
      return LanguageModel.load(ModelSource.of(GgufFile.read(stream, name)), backend, OPTIONS);
    }
  }

  /** Prompts of 1 to 14 tokens, so that chunks of every kind meet. */
  private static int[] prompt(int thread) {
    return IntStream.range(0, 1 + thread * 13 / 7).map(i -> (thread * 97 + i * 31) % 400).toArray();
  }

  /** Greedy on even threads, drawn on odd ones. */
  private static List<Integer> generate(LanguageModel model, int thread) {
    Sampling drawn = new Sampling(1.2f, 20, 1, 0, 1, thread);
    GenerationOptions options =
        thread % 2 == 0 ? GenerationOptions.greedy(6) : GenerationOptions.sampled(6, drawn);
    try (Session session = model.newSession()) {
      session.append(prompt(thread));
      session.generate(options, text -> {});
      session.generate(options, text -> {});
      return session.history();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu", "opencl"})
  void everySessionIsAsAlone(String name) throws Exception {
    try (Backend backend = Engines.open(name);
        LanguageModel llama = load(backend, "arch-llama3-ropescale-f32.gguf");
        LanguageModel qwen = load(backend, "arch-qwen2-f32.gguf")) {
      List<LanguageModel> models = List.of(llama, qwen);
      List<List<Integer>> alone = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        alone.add(generate(models.get(thread / 2 % 2), thread));
      }
      for (List<Integer> together : together(models)) {
        int thread = together.getFirst();
        assertThat(together.subList(1, together.size()))
            .as("thread %d", thread)
            .isEqualTo(alone.get(thread));
      }
    }
  }

  private static List<List<Integer>> together(List<LanguageModel> models)
      throws InterruptedException, ExecutionException {
    try (ExecutorService pool = Executors.newFixedThreadPool(THREADS)) {
      List<Callable<List<Integer>>> tasks = new ArrayList<>();
      for (int i = 0; i < THREADS * ROUNDS; i++) {
        int thread = i % THREADS;
        tasks.add(() -> {
          List<Integer> result = new ArrayList<>(List.of(thread));
          result.addAll(generate(models.get(thread / 2 % 2), thread));
          return result;
        });
      }
      List<List<Integer>> results = new ArrayList<>();
      for (Future<List<Integer>> done : pool.invokeAll(tasks)) {
        results.add(done.get());
      }
      return results;
    }
  }
}
