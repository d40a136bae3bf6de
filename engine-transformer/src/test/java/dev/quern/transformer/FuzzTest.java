package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.Backends;
import dev.quern.gguf.GgufException;
import dev.quern.tokenizer.TokenizerException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Hostile input of every kind, from seeds: whatever comes, there is an answer or one of the
 * documented exceptions with a message, soon, and with little memory.
 *
 * <p>{@code -Dquern.fuzz=N} makes N times as many cases; {@code -Dquern.fuzz.seed=S} makes case S
 * alone.
 */
class FuzzTest {
  /** Of the heap, for inputs of at most some megabytes. */
  private static final long MOST_BYTES = 256L << 20;

  private static final Duration MOST_TIME = Duration.ofMinutes(30);
  private static final long MOST_NANOS = 20_000_000_000L;
  private static final ThreadMXBean MEMORY = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir private Path folder = Path.of("");
  private volatile long current;

  @ParameterizedTest
  @EnumSource
  void anInputEndsInAnAnswer(Hostile kind) {
    long only = Long.getLong("quern.fuzz.seed", -1);
    int cases = kind.few() * Integer.getInteger("quern.fuzz", 1);
    int[] refused = new int[1];
    Assertions.assertTimeoutPreemptively(
        MOST_TIME,
        () -> {
          try (Backend backend = Backends.open("reference")) {
            for (long seed = Math.max(0, only); seed < (only < 0 ? cases : only + 1); seed++) {
              current = seed;
              refused[0] += refuses(kind, seed, backend) ? 1 : 0;
            }
          }
        },
        () -> "%s: case %d does not end".formatted(kind, current));
    System.out.printf("fuzz: %s: %d cases, %d refused%n", kind, cases, refused[0]);
    if (only < 0 && kind != Hostile.TEXT) {
      // neither was the input always sound, nor never
      assertThat(refused[0]).as("refused of %s", kind).isBetween(1, cases - 1);
    }
  }

  private boolean refuses(Hostile kind, long seed, Backend backend) {
    Thread thread = Thread.currentThread();
    long bytes = MEMORY.getThreadAllocatedBytes(thread.threadId());
    long start = System.nanoTime();
    boolean refused = false;
    try {
      kind.run(new Hostile.Case(new Random(seed), backend, folder));
    } catch (GgufException
        | ModelException
        | TokenizerException
        | ChatTemplateException
        | BackendException
        | IOException e) {
      assertThat(e.getMessage()).as("%s: case %d", kind, seed).isNotBlank();
      refused = true;
    } catch (Throwable e) {
      throw new AssertionError("%s: case %d ends in %s".formatted(kind, seed, e), e);
    }
    assertThat(System.nanoTime() - start)
        .as("%s: time of case %d", kind, seed)
        .isLessThan(MOST_NANOS);
    assertThat(MEMORY.getThreadAllocatedBytes(thread.threadId()) - bytes)
        .as("%s: bytes of case %d", kind, seed)
        .isLessThan(MOST_BYTES);
    return refused;
  }
}
