package dev.quern.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.format.WeightFormats;
import org.junit.jupiter.api.Test;

class TensorTest {
  private static final Slot.Bytes SLOT = new Slot.Bytes(0, "storage", 8 * 144);

  private static Tensor q4k(long rows, long columns) {
    return Tensor.of("w", SLOT, Shape.of(rows, columns), WeightFormats.Q4_K);
  }

  @Test
  void bytesAreThoseOfTheBlocks() {
    Tensor tensor = q4k(4, 512);
    assertThat(tensor.bytes()).isEqualTo(8 * 144);
    assertThat(tensor.rowBytes()).isEqualTo(2 * 144);
    assertThat(tensor).hasToString("w[4, 512]:Q4_K");
  }

  @Test
  void rowsAreViews() {
    Tensor part = q4k(4, 512).rows(1, 2);
    assertThat(part.offset()).isEqualTo(2 * 144);
    assertThat(part.shape()).isEqualTo(Shape.of(2, 512));
    assertThat(part.rows(1, 1).offset()).isEqualTo(4 * 144);
    assertThatThrownBy(() -> q4k(4, 512).rows(3, 2)).hasMessageContaining("rows: 3 to 5");
    assertThatThrownBy(() -> q4k(4, 512).rows(0, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> q4k(4, 512).rows(-1, 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> q4k(4, 512).rows(Long.MAX_VALUE, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void reshapeKeepsElements() {
    assertThat(q4k(4, 512).reshape(Shape.of(2, 2, 512)).shape()).isEqualTo(Shape.of(2, 2, 512));
    assertThatThrownBy(() -> q4k(4, 512).reshape(Shape.of(3, 512)))
        .hasMessageContaining("must stay the same")
        .hasMessageContaining("w[4, 512]:Q4_K");
    assertThatThrownBy(() -> q4k(4, 512).reshape(Shape.of(16, 128)))
        .as("rows are whole blocks")
        .hasMessageContaining("multiple of the 256");
    Slot.Count live = new Slot.Count(1, "rows", 4);
    Tensor counted = q4k(4, 512).withLiveRows(live);
    assertThat(counted.reshape(Shape.of(4, 2, 256)).liveRows()).isEqualTo(live);
    assertThatThrownBy(() -> counted.reshape(Shape.of(2, 1024)))
        .hasMessageContaining("elements and rows");
  }

  @Test
  void refusesViewsThatLeaveTheirStorage() {
    assertThatThrownBy(() -> q4k(5, 512)).hasMessageContaining("must lie in storage");
    assertThatThrownBy(() -> Tensor.of("w", SLOT, 144, Shape.of(4, 512), WeightFormats.Q4_K))
        .hasMessageContaining("must lie in storage");
    assertThatThrownBy(() -> Tensor.of("w", SLOT, -4, Shape.of(1), WeightFormats.F32))
        .hasMessageContaining("must lie in storage");
  }

  @Test
  void refusesPartsOfBlocksAndTooManyLiveRows() {
    assertThatThrownBy(() -> q4k(4, 300))
        .hasMessage(
            "tensor w[4, 300]: last dimension must be a multiple of the 256 elements of a Q4_K"
                + " block but is 300");
    Slot.Count live = new Slot.Count(1, "rows", 5);
    assertThatThrownBy(() -> q4k(4, 512).withLiveRows(live))
        .hasMessageContaining("capacity must hold the most rows of slot rows but that is 5");
  }
}
