package dev.quern.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.format.WeightFormats;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BindingsTest {
  private final Backend backend = Backends.open("reference");
  private final BatchRecorder recorder = CommandBatch.record("test");
  private final Slot.Count rows = recorder.count("rows", 4);
  private final Tensor x = recorder.input("x", Shape.of(4, 8), WeightFormats.F32, rows);
  private final Tensor temporary = recorder.swish(x);
  private final Tensor y = recorder.output("y", recorder.swish(temporary));
  private final CommandBatch batch = recorder.end();
  private final Bindings bindings = batch.bindings();

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void countsStartAtTheirMaximum() {
    assertThat(bindings.get(rows)).isEqualTo(4);
    assertThat(bindings.liveRows(x)).isEqualTo(4);
    assertThat(bindings.set(rows, 0).liveRows(x)).isZero();
    assertThatThrownBy(() -> bindings.set(rows, 5))
        .hasMessage("test: slot rows must be between 0 and 4 but is 5");
    assertThatThrownBy(() -> bindings.set(rows, -1)).hasMessageContaining("but is -1");
  }

  @Test
  void buffersMustFit() {
    try (Buffer small = backend.allocate("small", 127);
        Buffer large = backend.allocate("large", 200)) {
      assertThatThrownBy(() -> bindings.set(x, small))
          .hasMessageContaining("buffer small must hold the 128 bytes");
      assertThat(bindings.set(x, large).get((Slot.Bytes) x.storage())).isSameAs(large);
    }
  }

  @Test
  void onlySlotsOfTheBatchAreBound() {
    try (Buffer buffer = backend.allocate("buffer", 200)) {
      assertThatThrownBy(() -> bindings.set(temporary, buffer))
          .hasMessageContaining("must be an input or output");
      BatchRecorder other = CommandBatch.record("other");
      Tensor foreign = other.input("foreign", Shape.of(4, 8));
      Slot.Count count = other.count("count", 3);
      assertThatThrownBy(() -> bindings.set(foreign, buffer))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> bindings.set(count, 1)).hasMessageContaining("must belong");
    }
  }

  @Test
  void checkWantsEverySlotOfTheSameBatch() {
    try (Buffer buffer = backend.allocate("buffer", 128);
        Buffer result = backend.allocate("result", 128)) {
      assertThatThrownBy(() -> bindings.check(batch))
          .hasMessageContaining("slot x must be bound before submit");
      bindings.set(x, buffer);
      assertThatThrownBy(() -> bindings.check(batch)).hasMessageContaining("must be bound");
      bindings.set(y, buffer);
      assertThatThrownBy(() -> bindings.check(batch))
          .hasMessageContaining("must have a buffer of its own but x and swish.3 share buffer");
      bindings.set(y, result);
      bindings.check(batch);
      CommandBatch other = CommandBatch.record("other").end();
      assertThatThrownBy(() -> bindings.check(other))
          .hasMessageContaining("other")
          .hasMessageContaining("are of test");
    }
  }
}
