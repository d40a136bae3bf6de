package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.HALF;
import static dev.quern.cpu.vector.LaneMath.HALF_BIAS;
import static dev.quern.cpu.vector.LaneMath.LINE;
import static dev.quern.cpu.vector.LaneMath.ROWS;
import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.SHORTS;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.quern.core.format.WeightFormats;
import dev.quern.cpu.kernel.Interleave;
import dev.quern.cpu.kernel.RowLanes;
import dev.quern.cpu.kernel.Side;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** Q4_0: eight lines of four nibbles a block, and one of d. */
final class Q4Lanes implements RowLanes {
  private static final int BODY = 8;
  private static final int CHUNK = 64;
  private static final Interleave LAYOUT =
      new Interleave(WeightFormats.Q4_0, ROWS, 1, BODY, CHUNK, Q4Lanes::take);

  private static final long LOW = 0x0F0F0F0F_0F0F0F0FL;

  @Override
  public Interleave layout() {
    return LAYOUT;
  }

  @Override
  public Side.Form form() {
    return Side.Form.NIBBLES;
  }

  private static void take(MemorySegment w, long at, short[] shorts) {
    shorts[0] = Words.int16(w, at);
    for (int i = 0; i < 2; i++) {
      long bytes = Words.int64(w, at + 2 + 8L * i);
      Words.put(Long.compress(bytes, LOW), shorts, 1 + 2 * i);
      Words.put(Long.compress(bytes, ~LOW), shorts, 5 + 2 * i);
    }
  }

  @Override
  public void run(Job job) {
    for (int n = 0; n < job.rows; n += ROWS) {
      group(job, job.wAt + n / ROWS * job.rowBytes, n);
    }
  }

  private static void group(Job job, long at, int n) {
    Side side = job.side;
    Arrays.fill(job.sums, 0, ROWS, 0);
    for (int block = 0; block < job.k / 32; block += CHUNK) {
      int count = LAYOUT.count(job.k, block);
      long body = at + LAYOUT.bodyAt(block);
      int x = job.factorsAt + 32 * block;
      int pairs = BODY / 2 * count;
      LaneMath.products(job.w, body, side.shift, side.last, side.factors, x, pairs, job.products);
      add(job, at + LAYOUT.headAt(job.k, block), block, count);
    }
    job.store(n, ROWS);
  }

  /** {@code sums += d · products} of some blocks. */
  private static void add(Job job, long at, int block, int count) {
    MemorySegment w = job.w;
    short[] products = job.products;
    float[] numbers = job.side.numbers;
    short[] starts = job.side.starts;
    int start = job.startsAt + block;
    int number = job.numbersAt + 2 * block;
    FloatVector low = FloatVector.fromArray(F, job.sums, 0);
    FloatVector high = FloatVector.fromArray(F, job.sums, N);
    for (int b = 0; b < count; b++) {
      int p = BODY / 2 * b * ROWS;
      ShortVector sum = ShortVector.broadcast(SHORTS, starts[start + b]);
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + ROWS));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 2 * ROWS));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 3 * ROWS));
      IntVector both = sum.reinterpretAsInts();
      IntVector d = IntVector.fromMemorySegment(I, w, at + b * LINE, LE);
      float x = HALF_BIAS * numbers[number + 2 * b];
      FloatVector scale = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      IntVector part = both.lanewise(LSHL, 16).lanewise(ASHR, 16);
      low = ((FloatVector) part.convertShape(I2F, F, 0)).fma(scale.mul(x), low);
      scale = d.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      part = both.lanewise(ASHR, 16);
      high = ((FloatVector) part.convertShape(I2F, F, 0)).fma(scale.mul(x), high);
    }
    low.intoArray(job.sums, 0);
    high.intoArray(job.sums, N);
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
