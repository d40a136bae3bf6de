package dev.quern.opencl;

import dev.quern.core.Tensor;
import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Puts a kernel step together; what is not said touches what the operation touches. */
record StepBuilder(
    Op op,
    Body body,
    Tensor rows,
    List<Integer> integers,
    List<@Nullable Tensor> operands,
    Access access) {
  /** A step for {@code op} over the live rows of {@code rows}. */
  static StepBuilder of(Op op, Body body, Tensor rows) {
    return new StepBuilder(op, body, rows, List.of(), List.of(), Access.of(op));
  }

  StepBuilder integers(long... values) {
    List<Integer> all = Arrays.stream(values).mapToObj(v -> (int) v).toList();
    return new StepBuilder(op, body, rows, all, operands, access);
  }

  StepBuilder operands(@Nullable Tensor... tensors) {
    return new StepBuilder(op, body, rows, integers, Arrays.asList(tensors), access);
  }

  StepBuilder touching(List<Tensor> reads, List<Tensor> writes) {
    Access other =
        new Access(
            reads.stream().map(Access.Range::of).toList(),
            writes.stream().map(Access.Range::of).toList());
    return new StepBuilder(op, body, rows, integers, operands, other);
  }

  Step.Kernel tasks(long tasks) {
    return new Step.Kernel(op, body, rows, integers, operands, tasks, access);
  }
}
