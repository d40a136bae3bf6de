package dev.quern.cpu;

import dev.quern.core.Tensor;
import dev.quern.core.plan.Access;
import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.Side;
import java.util.ArrayList;
import java.util.List;

/**
 * A side of activations, and a tensor that stands for it in the plan.
 *
 * @param side the data
 * @param form what it is
 * @param length activations in a vector
 * @param token written where the side is made, read where it is used
 */
record SideUse(Side side, Side.Form form, long length, Tensor token) {
  /** What a step touches that also reads this. */
  Access with(Access access) {
    List<Access.Range> reads = new ArrayList<>(access.reads());
    reads.add(Access.Range.of(token));
    return new Access(reads, access.writes());
  }

  /** Points a kernel to one vector. */
  void point(Dot.Job job, int vector) {
    job.side = side;
    int first = Math.toIntExact(vector * length);
    job.factorsAt = form.factors(first);
    job.startsAt = form.starts(first);
    job.numbersAt = 2 * (first / form.block());
  }
}
