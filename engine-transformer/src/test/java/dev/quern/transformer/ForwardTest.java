package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.Backend;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufType;
import dev.quern.gguf.GgufValue;
import dev.quern.testkit.Accuracy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** States, embeddings, steps of many sessions, and forks, on each backend. */
class ForwardTest {
  private static final List<String> TEXTS =
      List.of(
          "Once upon a time, a small fox named Mira",
          "The owl",
          "In a quiet valley there lived a tortoise who",
          "A");

  private static LanguageModel model(Backend backend, int sequences) {
    return SessionTest.fable(
        backend, LoadOptions.exact().withContext(128).withSequences(sequences).withChunk(32));
  }

  private static List<int[]> tokens(LanguageModel model) {
    return TEXTS.stream().map(text -> model.tokenizer().encode(text, true, true)).toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu", "opencl", "hybrid"})
  void aRaggedBatchIsEachSequenceAlone(String name) {
    try (Backend backend = Engines.open(name);
        LanguageModel model = model(backend, 3)) {
      List<int[]> sequences = tokens(model);
      List<float[][]> together = model.forwardHiddenBatch(sequences);
      assertThat(together).hasSameSizeAs(sequences);
      for (int i = 0; i < sequences.size(); i++) {
        float[][] alone = model.forwardHidden(sequences.get(i));
        assertThat(together.get(i)).hasDimensions(sequences.get(i).length, 256);
        for (int row = 0; row < alone.length; row++) {
          assertThat(Accuracy.nmse(together.get(i)[row], alone[row])).isLessThanOrEqualTo(1e-10);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu", "opencl", "hybrid"})
  void weightsAreReadOnceForTheWholeBatch(String name) {
    try (Backend backend = Engines.open(name);
        LanguageModel model = model(backend, 8)) {
      int[] one = {943, 944, 261};
      long single = weightBytes(backend, () -> model.forwardHiddenBatch(List.of(one)));
      long eight =
          weightBytes(backend, () -> model.forwardHiddenBatch(Collections.nCopies(8, one)));
      assertThat(eight).isEqualTo(single).isPositive();
    }
  }

  private static long weightBytes(Backend backend, Runnable action) {
    action.run(); // compiles
    long before = backend.statistics().weightBytesRead();
    action.run();
    return backend.statistics().weightBytesRead() - before;
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu", "opencl", "hybrid"})
  void stepsOfManySessionsAreThoseOfEachAlone(String name) {
    try (Backend backend = Engines.open(name);
        LanguageModel model = model(backend, 4)) {
      List<List<Integer>> alone = new ArrayList<>();
      List<int[]> prompts = tokens(model);
      for (int[] prompt : prompts) {
        try (Session session = model.newSession()) {
          session.append(prompt);
          alone.add(session.generate(GenerationOptions.greedy(20), text -> {}).tokens());
        }
      }
      List<Session> sessions = new ArrayList<>();
      int[] last = new int[prompts.size()];
      for (int i = 0; i < last.length; i++) {
        int[] prompt = prompts.get(i);
        sessions.add(model.newSession());
        sessions.getLast().append(Arrays.copyOf(prompt, prompt.length - 1));
        last[i] = prompt[prompt.length - 1];
      }
      int[][] chosen = model.steps(sessions, last, 20);
      for (int i = 0; i < last.length; i++) {
        for (int step = 0; step < alone.get(i).size(); step++) {
          assertThat(chosen[step][i]).isEqualTo(alone.get(i).get(step));
        }
        assertThat(sessions.get(i).history()).hasSize(prompts.get(i).length + 19);
      }
      checkCost(backend, model, sessions, chosen[19]);
      sessions.forEach(Session::close);
    }
  }

  /** Sessions of different lengths, one token a step. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu", "opencl", "hybrid"})
  void logitsOfABatchedStepAreThoseOfEachAlone(String name) {
    int[][] next = {{5, 900, 41}, {17, 3, 400}, {261, 943, 12}, {8, 8, 8}};
    try (Backend backend = Engines.open(name);
        LanguageModel model = model(backend, 4)) {
      List<int[]> prompts = tokens(model);
      List<List<float[]>> alone = new ArrayList<>();
      for (int i = 0; i < next.length; i++) {
        try (Session session = model.newSession()) {
          session.append(prompts.get(i));
          List<float[]> logits = new ArrayList<>();
          for (int token : next[i]) {
            session.logits(new int[] {token}, logits::add);
          }
          alone.add(logits);
        }
      }
      List<Session> sessions = new ArrayList<>();
      for (int[] prompt : prompts) {
        sessions.add(model.newSession());
        sessions.getLast().append(prompt);
      }
      for (int step = 0; step < 3; step++) {
        int at = step;
        float[][] together =
            model.stepLogits(
                sessions, Arrays.stream(next).mapToInt(tokens -> tokens[at]).toArray());
        for (int i = 0; i < next.length; i++) {
          assertThat(Accuracy.nmse(together[i], alone.get(i).get(step))).isLessThanOrEqualTo(1e-10);
        }
      }
      sessions.forEach(Session::close);
    }
  }

  /** Of four sessions a step reads the weights that it reads of one, and waits once at most. */
  private static void checkCost(
      Backend backend, LanguageModel model, List<Session> sessions, int[] next) {
    var first = backend.statistics();
    int[][] more = model.steps(sessions, next, 8);
    var all = backend.statistics();
    assertThat(all.waits() - first.waits()).isLessThanOrEqualTo(8);
    assertThat(all.builds()).isEqualTo(first.builds());
    assertThat(all.adoptedBytes()).isEqualTo(first.adoptedBytes());
    model.steps(sessions.subList(0, 1), new int[] {more[7][0]}, 8);
    long ofOne = backend.statistics().weightBytesRead() - all.weightBytesRead();
    assertThat(all.weightBytesRead() - first.weightBytesRead()).isEqualTo(ofOne).isPositive();
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu", "opencl", "hybrid"})
  void aForkGoesOnAsItsOrigin(String name) {
    try (Backend backend = Engines.open(name);
        LanguageModel model = model(backend, 3);
        Session origin = model.newSession()) {
      origin.generate(TEXTS.getFirst(), GenerationOptions.greedy(6), text -> {});
      try (Session fork = origin.fork()) {
        fork.append(" and the owl");
        fork.generate(GenerationOptions.greedy(4), text -> {});
      }
      try (Session fork = origin.fork()) {
        Generation forked = fork.generate(GenerationOptions.greedy(10), text -> {});
        assertThat(forked.promptTokens()).isEqualTo(1);
        assertThat(forked.tokens())
            .isEqualTo(origin.generate(GenerationOptions.greedy(10), text -> {}).tokens());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = "reference")
  void vectorsArePooledFromStates(String name) {
    try (Backend backend = Engines.open(name);
        LanguageModel model = model(backend, 2)) {
      float[][] states = model.forwardHidden(tokens(model).getFirst());
      List<String> texts = TEXTS.subList(0, 1);
      assertThat(model.embed(texts, Pooling.LAST).getFirst()).isEqualTo(states[states.length - 1]);
      assertThat(model.embed(texts, Pooling.CLS).getFirst()).isEqualTo(states[0]);
      double mean = 0;
      for (float[] state : states) {
        mean += state[7] / states.length;
      }
      assertThat((double) model.embed(texts, Pooling.MEAN).getFirst()[7])
          .isCloseTo(mean, Offset.offset(1e-5));
      assertThat(model.pooling()).isEqualTo(Pooling.MEAN);
    }
  }

  @Test
  void aFileMaySayHowItsStatesArePooled() {
    assertThat(List.of(pooling(0), pooling(1), pooling(2), pooling(3)))
        .containsExactly(Pooling.MEAN, Pooling.MEAN, Pooling.CLS, Pooling.LAST);
    assertThatThrownBy(() -> pooling(4))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("qwen3.pooling_type must be 0 to 3")
        .hasMessageContaining("but is 4");
  }

  private static Pooling pooling(int type) {
    return Pooling.of(
        GgufMetadata.builder("file")
            .put("general.architecture", "qwen3")
            .put("qwen3.pooling_type", new GgufValue.Whole(GgufType.UINT32, type))
            .build());
  }

  @ParameterizedTest
  @ValueSource(strings = "reference")
  void misuseIsNamed(String name) {
    try (Backend backend = Engines.open(name);
        LanguageModel model = model(backend, 1)) {
      assertThatThrownBy(() -> model.forwardHidden(new int[0]))
          .hasMessageContaining("tokens must be 1 to 128");
      assertThatThrownBy(() -> model.forwardHiddenBatchOfEach(List.of(new int[] {1}), List.of()))
          .hasMessageContaining("its list of adapters but 1 have 0");
      misuse(model);
      try (LanguageModel other = model(backend, 1);
          Session foreign = other.newSession()) {
        assertThatThrownBy(() -> model.step(List.of(foreign), new int[] {1}))
            .hasMessageContaining("every session must be of the model that runs it");
      }
    }
  }

  private static void misuse(LanguageModel model) {
    try (Session session = model.newSession()) {
      assertThatThrownBy(() -> model.forwardHidden(new int[] {1}))
          .hasMessageContaining("withSequences");
      assertThatThrownBy(() -> model.steps(List.of(session, session), new int[] {1, 1}, 1))
          .hasMessageContaining("one is there twice");
      List<Session> many = Collections.nCopies(33, session);
      assertThatThrownBy(() -> model.step(many, new int[33]))
          .hasMessageContaining("sessions must be at most 32, the chunk, but are 33");
      assertThatThrownBy(() -> model.steps(List.of(session), new int[] {1}, 129))
          .hasMessageContaining("must fit the context of 128");
      assertThat(session.history()).isEmpty();
    }
  }
}
