package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;

class WarmUpTest {
  /** Milliseconds. */
  private long now;

  private long compiled;
  private int runs;

  /**
   * Warms up what takes so many milliseconds and has the compilers busy for so many, by the time.
   */
  private void warmUp(int mostSeconds, LongUnaryOperator takes, LongUnaryOperator compiles) {
    new WarmUp(mostSeconds, () -> TimeUnit.MILLISECONDS.toNanos(now), () -> compiled)
        .run(() -> {
          compiled += compiles.applyAsLong(now);
          now += takes.applyAsLong(now);
          runs++;
        });
  }

  @Test
  void itEndsWhenNothingGetsFaster() {
    warmUp(20, t -> 100, t -> 1);
    assertThat(now).isEqualTo(2000);
    assertThat(runs).isEqualTo(20);
  }

  @Test
  void itGoesOnWhileRunsGetFaster() {
    warmUp(20, t -> Math.max(50, 500 - t / 10), t -> 0);
    assertThat(now).isBetween(5500L, 7500L);
  }

  @Test
  void itGoesOnWhileTheCompilersAreBusyEvenIfRunsTakeTheSame() {
    warmUp(20, t -> 100, t -> t < 8000 ? 90 : 5);
    assertThat(now).isEqualTo(9000);
  }

  @Test
  void itIsBounded() {
    warmUp(20, t -> 100, t -> 90);
    assertThat(now).isEqualTo(20_000);
  }

  @Test
  void onePieceOfWorkThatTakesLongerRunsOnce() {
    warmUp(20, t -> 60_000, t -> 0);
    assertThat(runs).isEqualTo(1);
  }

  @Test
  void noSecondsIsOneRun() {
    warmUp(0, t -> 10, t -> 10);
    assertThat(runs).isEqualTo(1);
  }
}
