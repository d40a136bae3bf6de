package dev.quern.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ShapeTest {
  @Property(tries = 200)
  void rowsTimesRowElementsIsElements(
      @ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 50) Integer> extents) {
    Shape shape = new Shape(extents.stream().map(Integer::longValue).toList());
    assertThat(shape.rows() * shape.rowElements()).isEqualTo(shape.elements());
    assertThat(shape.rank()).isEqualTo(extents.size());
    assertThat(shape.withRows(3).elements()).isEqualTo(3 * shape.rowElements());
    assertThat(shape.last()).isEqualTo(shape.dim(shape.rank() - 1));
  }

  @Test
  void printsItsExtents() {
    assertThat(Shape.of(8, 4096)).hasToString("[8, 4096]");
  }

  @Test
  void refusesWhatIsNoShape() {
    assertThatThrownBy(Shape::of).hasMessageContaining("at least one dimension");
    assertThatThrownBy(() -> Shape.of(3, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least 1")
        .hasMessageContaining("[3, 0]");
    assertThatThrownBy(() -> Shape.of(1L << 40, 1L << 40))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("63 bits");
  }
}
