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
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.core.format.WeightFormats;
import dev.quern.cpu.kernel.Interleave;
import dev.quern.cpu.kernel.RowLanes;
import dev.quern.cpu.kernel.Side;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** TQ2_0: 32 lines of eight codes a block, and one of d. 64 products fit a short. */
final class Tq2Lanes implements RowLanes {
  private static final int BODY = 32;
  private static final int CHUNK = 8;
  private static final Interleave LAYOUT =
      new Interleave(WeightFormats.TQ2_0, ROWS, 1, BODY, CHUNK, Tq2Lanes::take);

  @Override
  public Interleave layout() {
    return LAYOUT;
  }

  @Override
  public Side.Form form() {
    return Side.Form.TERNARY;
  }

  private static void take(MemorySegment w, long at, short[] shorts) {
    shorts[0] = Words.int16(w, at + 64);
    for (int i = 0; i < BODY; i++) { // eight numbers at a time
      long bytes = Words.int64(w, at + 32L * (i / 16) + 8L * (i % 4));
      shorts[1 + i] = (short) Long.compress(bytes >>> (2 * (i / 4 % 4)), 0x03030303_03030303L);
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
    for (int block = 0; block < job.k / 256; block += CHUNK) {
      int count = LAYOUT.count(job.k, block);
      long body = at + LAYOUT.bodyAt(block);
      int x = job.factorsAt + 256 * block;
      products(job.w, body, side.shift, side.factors, x, BODY * count, job.products);
      add(job, at + LAYOUT.headAt(job.k, block), block, count);
    }
    job.store(n, ROWS);
  }

  /** The products of each line. A sum carried from line to line makes this loop twice as slow. */
  private static void products(
      MemorySegment w, long place, int shift, short[] x, int first, int count, short[] products) {
    for (int p = 0; p < count; p++) {
      int i = first + 8 * p;
      ShortVector q = ShortVector.fromMemorySegment(SHORTS, w, place + p * LINE, LE);
      ShortVector sum = q.mul(ShortVector.broadcast(SHORTS, x[i]));
      q = q.lanewise(LSHR, shift);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 1])));
      q = q.lanewise(LSHR, shift);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 2])));
      q = q.lanewise(LSHR, shift);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 3])));
      q = q.lanewise(LSHR, shift);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 4])));
      q = q.lanewise(LSHR, shift);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 5])));
      q = q.lanewise(LSHR, shift);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 6])));
      q = q.lanewise(LSHR, shift);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 7])));
      sum.intoArray(products, p * ROWS);
    }
  }

  /** {@code sums += d · (Σ products − Σx)} of some blocks. */
  private static void add(Job job, long at, int block, int count) {
    for (int b = 0; b < count; b++) {
      IntVector low = IntVector.zero(I);
      IntVector high = low;
      int p = BODY * b * ROWS;
      for (int i = 0; i < 4; i++) {
        int q = p + 8 * i * ROWS;
        ShortVector sum = ShortVector.fromArray(SHORTS, job.products, q);
        sum = sum.add(ShortVector.fromArray(SHORTS, job.products, q + ROWS));
        sum = sum.add(ShortVector.fromArray(SHORTS, job.products, q + 2 * ROWS));
        sum = sum.add(ShortVector.fromArray(SHORTS, job.products, q + 3 * ROWS));
        sum = sum.add(ShortVector.fromArray(SHORTS, job.products, q + 4 * ROWS));
        sum = sum.add(ShortVector.fromArray(SHORTS, job.products, q + 5 * ROWS));
        sum = sum.add(ShortVector.fromArray(SHORTS, job.products, q + 6 * ROWS));
        sum = sum.add(ShortVector.fromArray(SHORTS, job.products, q + 7 * ROWS));
        IntVector both = sum.reinterpretAsInts();
        low = low.add(both.lanewise(LSHL, 16).lanewise(ASHR, 16));
        high = high.add(both.lanewise(ASHR, 16));
      }
      int number = job.numbersAt + 2 * (block + b);
      float d = job.side.numbers[number];
      float x = job.side.numbers[number + 1];
      IntVector both = IntVector.fromMemorySegment(I, job.w, at + b * LINE, LE);
      IntVector half = both.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF);
      FloatVector value = ((FloatVector) low.convertShape(I2F, F, 0)).mul(d).add(x);
      FloatVector scale = half.reinterpretAsFloats().mul(HALF_BIAS);
      value.fma(scale, FloatVector.fromArray(F, job.sums, 0)).intoArray(job.sums, 0);
      value = ((FloatVector) high.convertShape(I2F, F, 0)).mul(d).add(x);
      half = both.lanewise(ASHR, 3).and(HALF);
      scale = half.reinterpretAsFloats().mul(HALF_BIAS);
      value.fma(scale, FloatVector.fromArray(F, job.sums, N)).intoArray(job.sums, N);
    }
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
    int block = column / 256;
    IntVector d = LaneMath.line(w, group + LAYOUT.headAt(k, block));
    codes(
        w,
        group + LAYOUT.bodyAt(block),
        LaneMath.lowHalf(d),
        LaneMath.highHalf(d),
        tile,
        to,
        stride);
  }

  private static void codes(
      MemorySegment w,
      long at,
      FloatVector d,
      FloatVector highD,
      MemorySegment tile,
      long to,
      long stride) {
    FloatVector offset = d.neg();
    FloatVector highOffset = highD.neg();
    for (int i = 0; i < BODY; i++) {
      IntVector q = IntVector.fromMemorySegment(I, w, at, LE);
      at += LINE;
      for (int b = 0; b < 8; b++) {
        FloatVector value = (FloatVector) q.and(3).convertShape(I2F, F, 0);
        value.fma(d, offset).intoMemorySegment(tile, to, LE);
        value = (FloatVector) q.lanewise(LSHR, 16).and(3).convertShape(I2F, F, 0);
        value.fma(highD, highOffset).intoMemorySegment(tile, to + 4L * N, LE);
        q = q.lanewise(LSHR, 2);
        to += stride;
      }
    }
  }
}
