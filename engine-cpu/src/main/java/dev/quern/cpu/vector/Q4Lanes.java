package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.GROUPS;
import static dev.quern.cpu.vector.LaneMath.HALF;
import static dev.quern.cpu.vector.LaneMath.HALF_BIAS;
import static dev.quern.cpu.vector.LaneMath.ROWS;
import static dev.quern.cpu.vector.LaneMath.STEP;
import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.SHORTS;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.quern.core.format.WeightFormats;
import dev.quern.cpu.kernel.Interleave;
import dev.quern.cpu.kernel.Side;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** Q4_0: eight lines of four nibbles a block, and one of d. */
final class Q4Lanes extends GroupLanes {
  private static final int BODY = 8;
  private static final int CHUNK = 8;
  private static final Interleave LAYOUT =
      new Interleave(WeightFormats.Q4_0, ROWS, 1, BODY, CHUNK, Q4Lanes::take);

  private static final long LOW = 0x0F0F0F0F_0F0F0F0FL;

  Q4Lanes() {
    super(LAYOUT, Side.Form.NIBBLES);
  }

  private static void take(MemorySegment w, long at, short[] shorts) {
    shorts[0] = Words.int16(w, at);
    for (int i = 0; i < 2; i++) {
      long bytes = Words.int64(w, at + 2 + 8L * i);
      Words.put(Long.compress(bytes, LOW), shorts, 1 + 2 * i);
      Words.put(Long.compress(bytes, ~LOW), shorts, 5 + 2 * i);
    }
  }

  /** {@code sums += d · products} of some blocks. */
  @Override
  void add(Job job, int group, int block, int count) {
    int[] lines = job.scales;
    short[] products = job.products;
    float[] numbers = job.side.numbers;
    short[] starts = job.side.starts;
    int start = job.startsAt + block;
    int number = job.numbersAt + 2 * block;
    int to = group * ROWS;
    FloatVector low = FloatVector.fromArray(F, job.sums, to);
    FloatVector high = FloatVector.fromArray(F, job.sums, to + N);
    for (int b = 0; b < count; b++) {
      int p = BODY * b * STEP + group * ROWS;
      ShortVector sum = ShortVector.broadcast(SHORTS, starts[start + b]);
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 2 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 3 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 4 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 5 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 6 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 7 * STEP));
      IntVector both = sum.reinterpretAsInts();
      IntVector d = IntVector.fromArray(I, lines, (GROUPS * b + group) * N);
      float x = HALF_BIAS * numbers[number + 2 * b];
      FloatVector scale = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      IntVector part = both.lanewise(LSHL, 16).lanewise(ASHR, 16);
      low = ((FloatVector) part.convertShape(I2F, F, 0)).fma(scale.mul(x), low);
      scale = d.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      part = both.lanewise(ASHR, 16);
      high = ((FloatVector) part.convertShape(I2F, F, 0)).fma(scale.mul(x), high);
    }
    low.intoArray(job.sums, to);
    high.intoArray(job.sums, to + N);
  }

  @Override
  public void fill(
      MemorySegment w,
      long group,
      int k,
      int column,
      int count,
      MemorySegment tile,
      long to,
      long stride,
      float[] factors) {
    for (int b = 0; b < count / 32; b++) {
      int block = column / 32 + b;
      IntVector both = LaneMath.line(w, group + LAYOUT.headAt(k, block));
      FloatVector d = LaneMath.lowHalf(both);
      FloatVector highD = LaneMath.highHalf(both);
      d.intoArray(factors, 0);
      highD.intoArray(factors, N);
      d.mul(-8).intoArray(factors, 2 * N);
      highD.mul(-8).intoArray(factors, 3 * N);
      long at = group + LAYOUT.bodyAt(block);
      Q4kLanes.part(w, at, factors, 0, tile, to + 32L * b * stride, stride);
    }
  }
}
