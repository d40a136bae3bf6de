package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.core.BackendException;
import dev.quern.core.BackendProvider;
import dev.quern.core.Backends;
import dev.quern.core.OpenOptions;
import dev.quern.core.Probe;
import dev.quern.core.reference.ReferenceBackendProvider;
import dev.quern.gguf.GgufFile;
import dev.quern.opencl.OpenClBackendProvider;
import dev.quern.opencl.binding.FfmOpenCl;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClStatus;
import dev.quern.opencl.binding.OpenClUnavailableException;
import dev.quern.testkit.Golden;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Any call of OpenCL may fail in the middle of anything: the text is right, or there is an error
 * that says what failed; the session goes on, and nothing is left behind.
 *
 * <p>The short form fails every kind of call first, in the middle and last. {@code
 * -Dquern.faults=all} fails every single call of a generation, with every status.
 */
class FaultTest {
  private static final int[] PROMPT = {5, 400, 77, 31, 8};
  private static final int TOKENS = 6;
  private static final int DEVICE_NOT_AVAILABLE = -2;

  /** With this a chunk is 4 rows, so that the prompt is more than one. */
  private static final LoadOptions OPTIONS = LoadOptions.exact().withContext(32).withChunk(4);

  @TempDir private static Path cache = Path.of("");
  private static List<Integer> expected = List.of();

  /** What is logged is expected; one test looks at it. */
  private static final Logger LOG = Logger.getLogger("dev.quern");

  @BeforeAll
  static void quiet() {
    LOG.setUseParentHandlers(false);
  }

  @AfterAll
  static void loud() {
    LOG.setUseParentHandlers(true);
  }

  @BeforeEach
  void needsOpenCl() {
    boolean usable = new OpenClBackendProvider().probe() instanceof Probe.Usable;
    assumeTrue(usable || Boolean.getBoolean("quern.require.opencl"), "needs an OpenCL device");
    if (expected.isEmpty()) {
      expected = alone(candidate(new ReferenceBackendProvider()));
    }
  }

  // ---- the pieces

  private static FaultyOpenCl faulty() {
    try {
      return new FaultyOpenCl(FfmOpenCl.load());
    } catch (OpenClUnavailableException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Backends.Candidate candidate(BackendProvider provider) {
    return new Backends.Candidate(provider, OpenOptions.defaults().withCache(cache));
  }

  private static Backends.Candidate candidate(FaultyOpenCl cl) {
    return candidate(cl, "auto");
  }

  private static Backends.Candidate candidate(FaultyOpenCl cl, String uploads) {
    return new Backends.Candidate(
        new OpenClBackendProvider(cl::binding),
        OpenOptions.defaults().withCache(cache).withSettings(Map.of("opencl.uploads", uploads)));
  }

  private static ModelSource source() {
    String name = "arch-llama3-ropescale-f32.gguf";
    try (InputStream stream = Golden.model(name)) {
      return ModelSource.of(GgufFile.read(stream, name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static LanguageModel load(Backends.Candidate... candidates) {
    return LanguageModel.load(source(), List.of(candidates), OPTIONS);
  }

  private static List<Integer> alone(Backends.Candidate candidate) {
    try (LanguageModel model = load(candidate);
        Session session = model.newSession()) {
      session.append(PROMPT);
      goOn(session);
      return session.history();
    }
  }

  /** Generates what is missing. */
  private static void goOn(Session session) {
    int missing = PROMPT.length + TOKENS - session.history().size();
    if (missing > 0) {
      session.generate(GenerationOptions.greedy(missing), text -> {});
    }
  }

  private static boolean everyCall() {
    return System.getProperty("quern.faults", "").equals("all");
  }

  /** What a whole generation calls, from opening to closing. */
  private static List<String> calls(String uploads) {
    FaultyOpenCl cl = faulty();
    assertThat(alone(candidate(cl, uploads))).isEqualTo(expected);
    assertThat(cl.live()).isEmpty();
    return cl.calls();
  }

  /** Every call, or of every kind the first, the middle one and the last. */
  private static Set<Integer> chosen(List<String> calls) {
    Set<Integer> chosen = new TreeSet<>();
    for (String name : new TreeSet<>(calls)) {
      List<Integer> at = new ArrayList<>();
      for (int i = 0; i < calls.size(); i++) {
        if (calls.get(i).equals(name)) {
          at.add(i);
        }
      }
      chosen.addAll(everyCall() ? at : List.of(at.getFirst(), at.get(at.size() / 2), at.getLast()));
    }
    return chosen;
  }

  // ---- one call fails

  @ParameterizedTest
  @ValueSource(strings = {"auto", "pinned"})
  void aNamedBackendSaysWhatFailedAndTheSessionGoesOn(String uploads) {
    calls(uploads);
    int[] statuses =
        everyCall()
            ? new int[] {OpenClStatus.OUT_OF_RESOURCES, OpenClStatus.OUT_OF_HOST_MEMORY, -9999}
            : new int[] {OpenClStatus.OUT_OF_RESOURCES};
    for (int status : statuses) {
      for (int call : chosen(calls(uploads))) {
        failsOnce(call, status, uploads);
      }
    }
  }

  private static void failsOnce(int call, int status, String uploads) {
    FaultyOpenCl cl = faulty().failAt(call, status);
    String what = "call %d with status %d".formatted(call, status);
    try (LanguageModel model = load(candidate(cl, uploads));
        Session session = model.newSession()) {
      session.append(PROMPT);
      try {
        goOn(session);
      } catch (BackendException e) {
        assertThat(e).as(what).hasMessageContaining(OpenClStatus.name(status));
        goOn(session);
      }
      assertThat(session.history()).as(what).isEqualTo(expected);
    } catch (BackendException e) {
      assertThat(e).as(what).hasMessageContaining(OpenClStatus.name(status));
    }
    // how often the host looks whether a write is done depends on time, and so does the last number
    assertThat(cl.failed().isEmpty()).as(what).isEqualTo(cl.calls().size() <= call);
    assertThat(cl.live()).as(what).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "pinned"})
  void autoGoesOnElsewhereWithTheRightText(String uploads) {
    calls(uploads);
    for (int call : chosen(calls(uploads))) {
      FaultyOpenCl cl = faulty().loseAt(call, DEVICE_NOT_AVAILABLE);
      String what = "lost at call %d".formatted(call);
      try (LanguageModel model =
              load(candidate(cl, uploads), candidate(new ReferenceBackendProvider()));
          Session session = model.newSession()) {
        session.append(PROMPT);
        goOn(session);
        assertThat(session.history()).as(what).isEqualTo(expected);
      }
      assertThat(cl.live()).as(what + ": " + cl.failed()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "pinned"})
  void aLostDeviceUnderItsNameIsAnErrorEveryTimeAndClosesCleanly(String uploads) {
    calls(uploads);
    for (int call : chosen(calls(uploads))) {
      FaultyOpenCl cl = faulty().loseAt(call, DEVICE_NOT_AVAILABLE);
      String what = "lost at call %d".formatted(call);
      try (LanguageModel model = load(candidate(cl, uploads));
          Session session = model.newSession()) {
        session.append(PROMPT);
        try {
          goOn(session);
          // it was lost while it was closed
          assertThat(session.history()).as(what).isEqualTo(expected);
        } catch (BackendException e) {
          assertThat(e).as(what).hasMessageContaining("CL_DEVICE_NOT_AVAILABLE");
          assertThatThrownBy(() -> goOn(session))
              .as(what)
              .isInstanceOf(BackendException.class)
              .hasMessageContaining("CL_DEVICE_NOT_AVAILABLE");
        }
      } catch (BackendException e) {
        assertThat(e).as(what).hasMessageContaining("CL_DEVICE_NOT_AVAILABLE");
      }
      assertThat(cl.live()).as(what + ": " + cl.failed()).isEmpty();
    }
  }

  // ---- wrong results and little memory

  /** A binding whose reads flip a bit. */
  private static OpenCl wrong() {
    OpenCl inner = faulty().binding();
    return (OpenCl)
        Proxy.newProxyInstance(
            OpenCl.class.getClassLoader(),
            new Class<?>[] {OpenCl.class},
            (proxy, method, arguments) -> {
              try {
                Object result = method.invoke(inner, arguments);
                if (method.getName().equals("read")) {
                  MemorySegment target = (MemorySegment) arguments[3];
                  byte changed = (byte) (target.get(ValueLayout.JAVA_BYTE, 3) ^ 0x40);
                  target.set(ValueLayout.JAVA_BYTE, 3, changed);
                }
                return result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @Test
  void aDeviceThatComputesWronglyIsRefusedAndAutoGoesOn(@TempDir Path fresh) {
    Backends.Candidate wrong =
        new Backends.Candidate(
            new OpenClBackendProvider(FaultTest::wrong), OpenOptions.defaults().withCache(fresh));
    assertThatThrownBy(() -> load(wrong))
        .isInstanceOf(BackendException.class)
        .hasMessageContaining("self-test");
    try (LanguageModel model = load(wrong, candidate(new ReferenceBackendProvider()))) {
      assertThat(model.backend().name()).isEqualTo("reference");
    }
  }

  @Test
  void tooLittleDeviceMemoryIsAnErrorWithItsSizeAndAutoGoesOn() {
    FaultyOpenCl small = faulty().limit(300_000);
    assertThatThrownBy(() -> load(candidate(small)))
        .isInstanceOf(BackendException.class)
        .hasMessageMatching("(?s).*device must have room for the \\d+ bytes of .*");
    assertThat(small.live()).isEmpty();
    assertThat(alone(candidate(faulty().limit(1L << 30)))).isEqualTo(expected);
    try (LanguageModel model =
        load(candidate(faulty().limit(300_000)), candidate(new ReferenceBackendProvider()))) {
      assertThat(model.backend().name()).isEqualTo("reference");
    }
  }

  @Test
  void memoryThatEndsWhileItRunsIsAnErrorAndTheSessionGoesOn() {
    FaultyOpenCl cl = faulty();
    try (LanguageModel model = load(candidate(cl));
        Session session = model.newSession()) {
      session.append(PROMPT);
      cl.limit(0);
      assertThatThrownBy(() -> goOn(session))
          .isInstanceOf(BackendException.class)
          .hasMessageContaining("CL_MEM_OBJECT_ALLOCATION_FAILURE");
      cl.limit(Long.MAX_VALUE);
      goOn(session);
      assertThat(session.history()).isEqualTo(expected);
    }
    assertThat(cl.live()).isEmpty();
  }

  @Test
  void aCacheThatNoHostHoldsIsAnError() {
    for (String name : List.of("reference", "cpu", "opencl")) {
      LoadOptions huge = LoadOptions.exact().withContext(1 << 30).withSequences(64);
      assertThatThrownBy(() ->
              LanguageModel.load(source(), Backends.candidates(name, OpenOptions.defaults()), huge))
          .as(name)
          .isInstanceOfAny(BackendException.class, ModelException.class)
          .hasMessageContaining("must");
    }
  }

  // ---- the failure of one session and the cache of another

  @Test
  void whatOtherSessionsHadInTheCacheIsComputedAgain() {
    for (boolean moves : new boolean[] {false, true}) {
      FaultyOpenCl cl = faulty();
      List<Backends.Candidate> candidates = new ArrayList<>(List.of(candidate(cl)));
      if (moves) {
        candidates.add(candidate(new ReferenceBackendProvider()));
      }
      try (LanguageModel model =
              LanguageModel.load(source(), candidates, OPTIONS.withSequences(3));
          Session one = model.newSession();
          Session other = model.newSession()) {
        one.append(PROMPT);
        one.generate(GenerationOptions.greedy(3), text -> {});
        other.append(PROMPT);
        cl.loseAt(cl.calls().size() + 3, DEVICE_NOT_AVAILABLE);
        if (moves) {
          goOn(other);
        } else {
          assertThatThrownBy(() -> goOn(other)).isInstanceOf(BackendException.class);
          cl.failAt(Integer.MAX_VALUE, 0);
        }
        goOn(one);
        assertThat(one.history()).isEqualTo(expected);
        goOn(other);
        assertThat(other.history()).isEqualTo(expected);
        try (Session fork = one.fork()) {
          assertThat(fork.history()).isEqualTo(expected);
        }
      }
      assertThat(cl.live()).isEmpty();
    }
  }

  /** A way to run a model, which loses its device on the way; answers what was computed. */
  private interface Way {
    String run(LanguageModel model, Runnable lose);
  }

  @Test
  void everyWayToRunMovesOn() {
    Map<String, Way> ways =
        Map.of(
            "logits", FaultTest::logits,
            "states", FaultTest::states,
            "steps", FaultTest::steps,
            "explain", FaultTest::explain);
    ways.forEach((name, way) -> {
      String right;
      try (LanguageModel model = load(candidate(new ReferenceBackendProvider()))) {
        right = way.run(model, () -> {});
      }
      FaultyOpenCl cl = faulty();
      try (LanguageModel model = load(candidate(cl), candidate(new ReferenceBackendProvider()))) {
        String moved = way.run(model, () -> cl.loseAt(cl.calls().size() + 2, DEVICE_NOT_AVAILABLE));
        assertThat(moved).as(name).isEqualTo(right);
      }
      assertThat(cl.live()).as(name).isEmpty();
    });
  }

  private static String logits(LanguageModel model, Runnable lose) {
    List<Float> some = new ArrayList<>();
    try (Session session = model.newSession()) {
      session.logits(new int[] {3, 4}, logits -> {});
      lose.run();
      session.logits(PROMPT, logits -> some.add(logits[9]));
    }
    return some.toString();
  }

  private static String states(LanguageModel model, Runnable lose) {
    lose.run();
    return String.valueOf(model.forwardHidden(PROMPT)[4][7]);
  }

  private static String steps(LanguageModel model, Runnable lose) {
    try (Session session = model.newSession()) {
      session.append(PROMPT);
      lose.run();
      return Arrays.deepToString(model.steps(List.of(session), new int[] {9}, 4));
    }
  }

  private static String explain(LanguageModel model, Runnable lose) {
    lose.run();
    return model.explain();
  }

  @Test
  void theMoveIsLoggedOnce() {
    List<String> lines = new ArrayList<>();
    Logger logger = Logger.getLogger(Runner.class.getName());
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            lines.add(new SimpleFormatter().formatMessage(record));
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(handler);
    try {
      FaultyOpenCl cl = faulty();
      try (LanguageModel model = load(candidate(cl), candidate(new ReferenceBackendProvider()));
          Session session = model.newSession()) {
        session.append(PROMPT);
        cl.loseAt(cl.calls().size() + 3, DEVICE_NOT_AVAILABLE);
        goOn(session);
      }
    } finally {
      logger.removeHandler(handler);
    }
    assertThat(lines)
        .singleElement()
        .asString()
        .startsWith("opencl failed while it ran the model, reference goes on: ")
        .contains("CL_DEVICE_NOT_AVAILABLE");
  }
}
