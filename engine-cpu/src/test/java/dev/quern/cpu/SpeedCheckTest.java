package dev.quern.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.ScalarKernels;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SpeedCheckTest {
  private final List<String> messages = new ArrayList<>();

  @Test
  void saysOnceThatVectorCodeIsSlow() {
    SpeedCheck check = new SpeedCheck(slow(), log());
    for (long seconds = 0; seconds < 100; seconds++) {
      check.after(1_000_000_000 * seconds);
    }
    assertThat(messages).hasSize(1);
    assertThat(messages.getFirst()).contains("must run compiled", "-XX:TieredStopAtLevel");
  }

  @Test
  void saysNothingOfFastCode() {
    SpeedCheck check = new SpeedCheck(instant(), log());
    for (long seconds = 0; seconds < 100; seconds++) {
      check.after(1_000_000_000 * seconds);
    }
    assertThat(messages).isEmpty();
  }

  @Test
  void saysOnceThatProductsAreSlow() {
    SpeedCheck check = new SpeedCheck(instant(), log());
    for (int batch = 0; batch < 1000; batch++) {
      check.read(100_000_000, 1_000_000_000);
    }
    assertThat(messages).hasSize(1);
    assertThat(messages.getFirst()).contains("products must read at least");
  }

  @Test
  void saysNothingOfProductsThatWereSlowOnlyAtFirst() {
    SpeedCheck check = new SpeedCheck(instant(), log());
    for (int batch = 0; batch < 1000; batch++) {
      check.read(100_000_000, batch < 20 ? 1_000_000_000 : 10_000_000);
      check.read(1000, 1_000_000_000);
    }
    assertThat(messages).isEmpty();
  }

  /** Row operations that take a millisecond each. */
  private static RowMath slow() {
    RowMath scalar = new ScalarKernels().rows();
    return math(() -> {
      long end = System.nanoTime() + 1_000_000;
      while (System.nanoTime() < end) {
        scalar.max(MemorySegment.NULL, 0, 0);
      }
    });
  }

  private static RowMath instant() {
    return math(() -> {});
  }

  private static RowMath math(Runnable body) {
    return (RowMath)
        Proxy.newProxyInstance(
            RowMath.class.getClassLoader(),
            new Class<?>[] {RowMath.class},
            (proxy, method, arguments) -> {
              body.run();
              return null;
            });
  }

  private System.Logger log() {
    return new System.Logger() {
      @Override
      public String getName() {
        return "test";
      }

      @Override
      public boolean isLoggable(Level level) {
        return true;
      }

      @Override
      public void log(
          Level level,
          @Nullable ResourceBundle bundle,
          @Nullable String message,
          @Nullable Throwable thrown) {
        messages.add(String.valueOf(message));
      }

      @Override
      public void log(
          Level level,
          @Nullable ResourceBundle bundle,
          @Nullable String format,
          @Nullable Object @Nullable ... parameters) {
        messages.add(String.valueOf(format));
      }
    };
  }
}
