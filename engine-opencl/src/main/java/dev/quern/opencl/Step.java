package dev.quern.opencl;

import dev.quern.core.Tensor;
import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One piece of a lowered batch. */
sealed interface Step {
  /** The operation it does; of several, the last. */
  Op op();

  /** The kernel body that does it, or null if none does. */
  default @Nullable Body body() {
    return null;
  }

  /** What it touches. */
  Access access();

  /** The tensors it reads or writes, as they lie in memory. */
  Stream<Tensor> tensors();

  /**
   * A kernel body over device memory.
   *
   * @param ops what it does
   * @param body which body does it
   * @param rows the tensor whose live rows count
   * @param integers parameters, floats as their bits; at most 12
   * @param operands tensors in the order that the body expects, null for an absent one; at most 8
   * @param tasks how many work-groups find work in it
   * @param access what it touches
   */
  record Kernel(
      List<Op> ops,
      Body body,
      Tensor rows,
      List<Integer> integers,
      List<@Nullable Tensor> operands,
      long tasks,
      Access access)
      implements Step {
    @Override
    public Op op() {
      return ops.getLast();
    }

    @Override
    public Stream<Tensor> tensors() {
      return operands.stream().filter(Objects::nonNull);
    }
  }

  /**
   * One token through a decoder, in one launch.
   *
   * @param shape the operations and their sizes
   */
  record Decoder(DecoderShape shape) implements Step {
    @Override
    public Op op() {
      return shape.ops().output();
    }

    @Override
    public Access access() {
      DecoderOps ops = shape.ops();
      DecoderOps.Block block = ops.blocks().getFirst();
      List<Tensor> reads =
          List.of(
              ops.embed().tokens(), block.attention().positions(), block.attention().sequences());
      List<Tensor> writes = new ArrayList<>(List.of(ops.result()));
      for (DecoderOps.Block each : ops.blocks()) {
        writes.add(each.keys().cache());
        writes.add(each.values().cache());
      }
      return new Access(
          reads.stream().map(Access.Range::of).toList(),
          writes.stream().map(Access.Range::of).toList());
    }

    @Override
    public Stream<Tensor> tensors() {
      return shape.table().stream().flatMap(List::stream).filter(Objects::nonNull);
    }
  }

  /**
   * An operation that no kernel takes: read to the host, computed by the reference, written back.
   *
   * @param op what it does
   * @param reasons why no kernel takes it
   */
  record Host(Op op, List<String> reasons) implements Step {
    @Override
    public Access access() {
      return Access.of(op);
    }

    @Override
    public Stream<Tensor> tensors() {
      return Stream.concat(op.reads().stream(), op.writes().stream());
    }
  }
}
