package dev.quern.opencl;

import dev.quern.core.Tensor;
import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Puts a kernel step together; what is not said touches what the operation touches. */
record StepBuilder(
    List<Op> ops,
    Body body,
    Tensor rows,
    List<Integer> integers,
    List<@Nullable Tensor> operands,
    Access access) {
  /** A step for {@code op} over the live rows of {@code rows}. */
  static StepBuilder of(Op op, Body body, Tensor rows) {
    return new StepBuilder(List.of(op), body, rows, List.of(), List.of(), Access.of(op));
  }

  /** A step for several operations, which must be told what it touches. */
  static StepBuilder of(List<Op> ops, Body body, Tensor rows) {
    return new StepBuilder(ops, body, rows, List.of(), List.of(), Access.of(ops.getLast()));
  }

  StepBuilder integers(long... values) {
    List<Integer> all = Arrays.stream(values).mapToObj(v -> (int) v).toList();
    return new StepBuilder(ops, body, rows, all, operands, access);
  }

  StepBuilder operands(@Nullable Tensor... tensors) {
    return new StepBuilder(ops, body, rows, integers, Arrays.asList(tensors), access);
  }

  StepBuilder touching(List<@Nullable Tensor> reads, List<@Nullable Tensor> writes) {
    Access other = new Access(ranges(reads), ranges(writes));
    return new StepBuilder(ops, body, rows, integers, operands, other);
  }

  private static List<Access.Range> ranges(List<@Nullable Tensor> tensors) {
    return tensors.stream().filter(Objects::nonNull).map(Access.Range::of).toList();
  }

  Step.Kernel tasks(long tasks) {
    return new Step.Kernel(ops, body, rows, integers, operands, tasks, access);
  }
}
