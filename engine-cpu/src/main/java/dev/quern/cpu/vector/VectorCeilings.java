package dev.quern.cpu.vector;

import dev.quern.cpu.kernel.Ceilings;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** Two multiply-adds a cycle of four cycles each need eight chains; four loads hide the adds. */
final class VectorCeilings implements Ceilings {
  private static final int CHAINS = 8;

  @Override
  public float sum(MemorySegment x, long at, long bytes) {
    long vector = Lanes.F.vectorByteSize();
    FloatVector a = Lanes.zero();
    FloatVector b = Lanes.zero();
    FloatVector c = Lanes.zero();
    FloatVector d = Lanes.zero();
    for (long i = at; i < at + bytes; i += 4 * vector) {
      a = a.add(Lanes.f32(x, i));
      b = b.add(Lanes.f32(x, i + vector));
      c = c.add(Lanes.f32(x, i + 2 * vector));
      d = d.add(Lanes.f32(x, i + 3 * vector));
    }
    return Lanes.sum(a.add(b).add(c.add(d)));
  }

  @Override
  public float chains(int steps) {
    FloatVector half = Lanes.splat(0.5f);
    FloatVector one = Lanes.splat(1);
    FloatVector a = Lanes.splat(1);
    FloatVector b = Lanes.splat(2);
    FloatVector c = Lanes.splat(3);
    FloatVector d = Lanes.splat(4);
    FloatVector e = Lanes.splat(5);
    FloatVector f = Lanes.splat(6);
    FloatVector g = Lanes.splat(7);
    FloatVector h = Lanes.splat(8);
    for (int i = 0; i < steps; i++) {
      a = a.fma(half, one);
      b = b.fma(half, one);
      c = c.fma(half, one);
      d = d.fma(half, one);
      e = e.fma(half, one);
      f = f.fma(half, one);
      g = g.fma(half, one);
      h = h.fma(half, one);
    }
    return Lanes.sum(a.add(b).add(c.add(d)).add(e.add(f).add(g.add(h))));
  }

  @Override
  public int flopsPerStep() {
    return 2 * CHAINS * Lanes.N;
  }
}
