package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/** Without vectors; four chains, so that none waits for itself. */
final class ScalarCeilings implements Ceilings {
  @Override
  public float sum(MemorySegment x, long at, long bytes) {
    float a = 0;
    float b = 0;
    for (long i = at; i < at + bytes; i += 8) {
      a += x.get(RowMath.F32, i);
      b += x.get(RowMath.F32, i + 4);
    }
    return a + b;
  }

  @Override
  public float chains(int steps) {
    float a = 1;
    float b = 2;
    float c = 3;
    float d = 4;
    for (int i = 0; i < steps; i++) {
      a = a * 0.5f + 1;
      b = b * 0.5f + 1;
      c = c * 0.5f + 1;
      d = d * 0.5f + 1;
    }
    return a + b + c + d;
  }

  @Override
  public int flopsPerStep() {
    return 8;
  }
}
