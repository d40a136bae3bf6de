package dev.quern.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** What a user is told who forgot the module; the build runs this without it. */
class NoVectorsTest {
  @Test
  void saysOnceWhichFlagIsMissing() {
    assumeFalse(
        ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
        "this JVM has the Vector API");
    List<String> messages = new ArrayList<>();
    Handler handler = collect(messages);
    Logger logger = Logger.getLogger(KernelSets.class.getName());
    logger.addHandler(handler);
    try {
      try (Backend backend = Backends.open("cpu")) {
        assertThat(backend.device().features()).contains("scalar");
      }
    } finally {
      logger.removeHandler(handler);
    }
    assertThat(messages).hasSize(1);
    assertThat(messages.getFirst()).contains("--add-modules jdk.incubator.vector");
  }

  private static Handler collect(List<String> messages) {
    return new Handler() {
      @Override
      public void publish(LogRecord record) {
        messages.add(record.getMessage());
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
  }
}
