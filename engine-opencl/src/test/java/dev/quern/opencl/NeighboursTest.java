package dev.quern.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.BatchRecorder;
import dev.quern.core.CommandBatch;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.op.Mul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Swish;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which operations of a batch one kernel may do together. */
class NeighboursTest {
  private final BatchRecorder recorder = CommandBatch.record("batch");
  private final Tensor x = recorder.input("x", Shape.of(3, 64));
  private final Tensor z = recorder.input("z", Shape.of(3, 64));

  private Neighbours neighbours(CommandBatch batch) {
    return new Neighbours(batch.ops(), batch.bound());
  }

  private static Op first(CommandBatch batch, Class<? extends Op> type) {
    return batch.ops().stream().filter(type::isInstance).findFirst().orElseThrow();
  }

  @Test
  void aLaterReaderComesNearerIfNothingStandsBetween() {
    Tensor swish = recorder.swish(x);
    recorder.output("other", recorder.swish(z));
    recorder.output("y", recorder.mul(swish, z));
    CommandBatch batch = recorder.end();
    Op op = first(batch, Swish.class);
    Mul mul = neighbours(batch).partner(op, swish, Mul.class);
    assertThat(mul).isNotNull();
    assertThat(neighbours(batch).onlyFor(op, swish, List.of(mul))).isTrue();
  }

  @Test
  void aReaderStaysBehindWhatItNeeds() {
    Tensor swish = recorder.swish(x);
    Tensor late = recorder.add(z, z);
    recorder.output("y", recorder.mul(swish, late));
    CommandBatch batch = recorder.end();
    assertThat(neighbours(batch).partner(first(batch, Swish.class), swish, Mul.class)).isNull();
  }

  @Test
  void aReaderStaysBehindThoseWhoReadWhatItOverwrites() {
    Tensor swish = recorder.swish(x);
    Tensor sum = recorder.add(z, z);
    recorder.output("read", recorder.swish(sum));
    recorder.add(new Mul(swish, x, sum));
    recorder.output("y", recorder.add(sum, x));
    CommandBatch batch = recorder.end();
    assertThat(neighbours(batch).partner(first(batch, Swish.class), swish, Mul.class)).isNull();
  }

  @Test
  void aReaderStaysIfItOverwritesWhatAnotherWrote() {
    Tensor sum = recorder.add(z, z);
    Tensor swish = recorder.swish(x);
    recorder.add(new Mul(swish, x, sum));
    recorder.output("y", recorder.add(sum, x));
    CommandBatch batch = recorder.end();
    assertThat(neighbours(batch).partner(first(batch, Swish.class), swish, Mul.class)).isNull();
  }

  @Test
  void whatOthersReadOrSeeIsForThemToo() {
    Tensor swish = recorder.swish(x);
    Tensor mul = recorder.mul(swish, z);
    recorder.output("y", recorder.add(mul, swish));
    Tensor seen = recorder.swish(z);
    recorder.output("seen", seen);
    recorder.output("product", recorder.mul(seen, x));
    CommandBatch batch = recorder.end();
    Neighbours neighbours = neighbours(batch);
    List<Op> products = batch.ops().stream().filter(Mul.class::isInstance).toList();
    assertThat(neighbours.onlyFor(first(batch, Swish.class), swish, products)).isFalse();
    Op second =
        batch.ops().stream().filter(op -> op.writes().contains(seen)).findFirst().orElseThrow();
    assertThat(neighbours.onlyFor(second, seen, products)).isFalse();
  }
}
