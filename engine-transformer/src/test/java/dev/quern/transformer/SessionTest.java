package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.fable.FableModels;
import dev.quern.gguf.GgufFile;
import dev.quern.testkit.Accuracy;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Sessions of the default fable model on the reference backend. */
class SessionTest {
  private static final String PROMPT = "Once upon a time, a small fox named Mira";

  private static Backend backend;
  private static LanguageModel model;

  @BeforeAll
  static void load() {
    backend = Backends.open("reference");
    model = fable(LoadOptions.exact().withContext(256).withSequences(2));
  }

  @AfterAll
  static void close() {
    model.close();
    assertThat(backend.statistics().liveBatches()).isZero();
    assertThat(backend.statistics().liveBuffers()).isZero();
    backend.close();
  }

  static LanguageModel fable(LoadOptions options) {
    return fable(backend, options);
  }

  static LanguageModel fable(Backend backend, LoadOptions options) {
    try (InputStream stream = FableModels.defaultModel().open()) {
      return LanguageModel.load(ModelSource.of(GgufFile.read(stream, "fable")), backend, options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aSecondGenerateContinuesTheFirst() {
    try (Session once = model.newSession();
        Session twice = model.newSession()) {
      String whole = once.generate(PROMPT, GenerationOptions.greedy(24), text -> {}).text();
      String first = twice.generate(PROMPT, GenerationOptions.greedy(10), text -> {}).text();
      String second = twice.generate(GenerationOptions.greedy(14), text -> {}).text();
      assertThat(first + second).isEqualTo(whole);
      assertThat(twice.history()).isEqualTo(once.history());
    }
  }

  @Test
  void chunksAndSingleTokensGiveTheSameLogits() {
    int[] tokens = model.tokenizer().encode(PROMPT.repeat(4), true, true);
    List<float[]> whole = GoldenSuite.logits(model, tokens, tokens.length);
    double worst = 0;
    for (int chunk : new int[] {1, 7}) {
      List<float[]> parts = GoldenSuite.logits(model, tokens, chunk);
      for (int i = 0; i < whole.size(); i++) {
        worst = Math.max(worst, Accuracy.nmse(parts.get(i), whole.get(i)));
      }
    }
    assertThat(worst).isLessThanOrEqualTo(1e-10);
  }

  @Test
  void logitsOfMoreTokensThanAChunkHolds() {
    int[] tokens = model.tokenizer().encode(PROMPT, true, true);
    try (LanguageModel small = fable(LoadOptions.exact().withContext(64).withChunk(3))) {
      List<float[]> parts = GoldenSuite.logits(small, tokens, tokens.length);
      List<float[]> whole = GoldenSuite.logits(model, tokens, tokens.length);
      assertThat(parts).hasSameSizeAs(whole);
      assertThat(Accuracy.nmse(parts.getLast(), whole.getLast())).isLessThanOrEqualTo(1e-10);
    }
  }

  @Test
  void textIsStreamedAsItIsReturned() {
    StringBuilder streamed = new StringBuilder();
    try (Session session = model.newSession()) {
      Generation generation =
          session.generate(PROMPT, GenerationOptions.greedy(20), streamed::append);
      assertThat(streamed).hasToString(generation.text());
      assertThat(generation.tokens()).hasSize(20);
      assertThat(generation.end()).isEqualTo(Generation.End.MAX_TOKENS);
    }
  }

  @Test
  void aStopTextEndsTheTextBeforeIt() {
    try (Session session = model.newSession()) {
      GenerationOptions options = GenerationOptions.greedy(64).withStop(List.of("broken wall"));
      Generation generation = session.generate(PROMPT, options, text -> {});
      assertThat(generation.end()).isEqualTo(Generation.End.STOP_TEXT);
      assertThat(generation.text()).endsWith("with a ").doesNotContain("broken");
    }
  }

  @Test
  void anEndTokenEndsTheAnswer() {
    String question =
        "<|im_start|>user\nTell me a story about an owl named Otto.<|im_end|>\n<|im_start|>assistant\n";
    try (Session session = model.newSession()) {
      Generation generation = session.generate(question, GenerationOptions.greedy(0), text -> {});
      assertThat(generation.end()).isEqualTo(Generation.End.END_OF_TEXT);
      assertThat(generation.text()).contains("Otto").doesNotContain("<|im_end|>");
    }
  }

  @Test
  void aFullContextEndsTheGeneration() {
    try (LanguageModel small = fable(LoadOptions.exact().withContext(32));
        Session session = small.newSession()) {
      Generation generation = session.generate(PROMPT, GenerationOptions.greedy(0), text -> {});
      assertThat(generation.end()).isEqualTo(Generation.End.CONTEXT_FULL);
      assertThat(session.history()).hasSize(32);
      assertThatThrownBy(() -> session.append("more"))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("must fit the context of 32");
    }
  }

  @Test
  void cancelAndInterruptEndTheGeneration() {
    try (Session session = model.newSession()) {
      Generation cancelled =
          session.generate(PROMPT, GenerationOptions.greedy(100), text -> session.cancel());
      assertThat(cancelled.end()).isEqualTo(Generation.End.CANCELLED);
      assertThat(cancelled.tokens()).hasSizeLessThan(20);
      Thread.currentThread().interrupt();
      Generation interrupted = session.generate(GenerationOptions.greedy(100), text -> {});
      assertThat(Thread.interrupted()).isTrue();
      assertThat(interrupted.end()).isEqualTo(Generation.End.CANCELLED);
      Generation after = session.generate(GenerationOptions.greedy(3), text -> {});
      assertThat(after.tokens()).hasSize(3);
    }
  }

  @Test
  void replacingTheHistoryKeepsTheSharedPrefix() {
    int[] first = model.tokenizer().encode(PROMPT, true, true);
    int[] second = model.tokenizer().encode(PROMPT + " lived near", true, true);
    try (Session session = model.newSession();
        Session fresh = model.newSession()) {
      session.append(first);
      session.generate(GenerationOptions.greedy(5), text -> {});
      session.replace(second);
      fresh.append(second);
      Generation reused = session.generate(GenerationOptions.greedy(12), text -> {});
      Generation whole = fresh.generate(GenerationOptions.greedy(12), text -> {});
      assertThat(reused.tokens()).isEqualTo(whole.tokens());
      assertThat(reused.promptTokens()).isLessThan(whole.promptTokens());
    }
  }

  @Test
  void sessionsRunTogetherAsAlone() {
    int[] one = model.tokenizer().encode(PROMPT, true, true);
    int[] other = model.tokenizer().encode("The owl", true, true);
    List<Integer> together = new ArrayList<>();
    try (Session a = model.newSession();
        Session b = model.newSession()) {
      a.append(Arrays.copyOf(one, one.length - 1));
      b.append(Arrays.copyOf(other, other.length - 1));
      int[] tokens = {one[one.length - 1], other[other.length - 1]};
      for (int step = 0; step < 8; step++) {
        tokens = model.step(List.of(a, b), tokens);
        together.add(tokens[0]);
        together.add(tokens[1]);
      }
    }
    List<Integer> alone = new ArrayList<>();
    try (Session a = model.newSession();
        Session b = model.newSession()) {
      a.append(one);
      b.append(other);
      List<Integer> first = a.generate(GenerationOptions.greedy(8), text -> {}).tokens();
      List<Integer> second = b.generate(GenerationOptions.greedy(8), text -> {}).tokens();
      for (int step = 0; step < 8; step++) {
        alone.add(first.get(step));
        alone.add(second.get(step));
      }
    }
    assertThat(together).isEqualTo(alone);
  }

  @Test
  void sampledTextDependsOnTheSeedAlone() {
    Sampling sampling = new Sampling(0.9f, 20, 0.95f, 0, 1, 3);
    Sampling host = new Sampling(0.9f, 20, 0.95f, 0, 1.000001f, 3);
    assertThat(sampled(sampling)).isEqualTo(sampled(sampling)).isEqualTo(sampled(host));
    assertThat(sampled(new Sampling(0.9f, 20, 0.95f, 0, 1, 4))).isNotEqualTo(sampled(sampling));
  }

  private static String sampled(Sampling sampling) {
    try (Session session = model.newSession()) {
      return session.generate(PROMPT, GenerationOptions.sampled(24, sampling), t -> {}).text();
    }
  }

  @Test
  void misuseIsNamed() {
    try (Session session = model.newSession()) {
      assertThatThrownBy(() -> session.generate(GenerationOptions.greedy(1), text -> {}))
          .hasMessageContaining("must have at least one token");
      assertThatThrownBy(() -> session.append(new int[] {999_999}))
          .hasMessageContaining("token: must be between 0 and 2047 but is 999999");
      try (Session second = model.newSession()) {
        assertThat(second.history()).isEmpty();
        assertThatThrownBy(model::newSession).hasMessageContaining("withSequences");
      }
    }
    Session closed = model.newSession();
    closed.close();
    assertThatThrownBy(() -> closed.generate("x", GenerationOptions.greedy(1), text -> {}))
        .hasMessageContaining("is closed");
  }
}
