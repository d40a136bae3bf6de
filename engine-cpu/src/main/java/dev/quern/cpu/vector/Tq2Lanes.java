package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.GROUPS;
import static dev.quern.cpu.vector.LaneMath.HALF;
import static dev.quern.cpu.vector.LaneMath.HALF_BIAS;
import static dev.quern.cpu.vector.LaneMath.LINE;
import static dev.quern.cpu.vector.LaneMath.ROWS;
import static dev.quern.cpu.vector.LaneMath.STEP;
import static dev.quern.cpu.vector.LaneMath.WIDE;
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
import dev.quern.cpu.kernel.Side;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** TQ2_0: 32 lines of eight codes a block, and one of d. 64 products fit a short. */
final class Tq2Lanes extends GroupLanes {
  private static final int BODY = 32;
  private static final int CHUNK = 2;
  private static final Interleave LAYOUT =
      new Interleave(WeightFormats.TQ2_0, ROWS, 1, BODY, CHUNK, Tq2Lanes::take);

  Tq2Lanes() {
    super(LAYOUT, Side.Form.TERNARY);
  }

  private static void take(MemorySegment w, long at, short[] shorts) {
    shorts[0] = Words.int16(w, at + 64);
    for (int i = 0; i < BODY; i++) { // eight numbers at a time
      long bytes = Words.int64(w, at + 32L * (i / 16) + 8L * (i % 4));
      shorts[1 + i] = (short) Long.compress(bytes >>> (2 * (i / 4 % 4)), 0x03030303_03030303L);
    }
  }

  /** Eight products of each line. Two groups after the other two: registers are few. */
  @Override
  void products(Job job, long a, long b, long c, long d, int first, int lines) {
    products(job, a, b, first, lines, 0);
    products(job, c, d, first, lines, 2 * ROWS);
  }

  private static void products(Job job, long a, long b, int first, int lines, int to) {
    MemorySegment w = Lanes.offHeap(job.w);
    int[] factors = job.side.factors;
    short[] products = job.products;
    int shift = job.side.shift;
    ShortVector counts = ShortVector.broadcast(SHORTS, shift);
    for (int p = 0; p < lines; p++) {
      long line = p * LINE;
      int i = first + 8 * p;
      ShortVector qa = ShortVector.fromMemorySegment(SHORTS, w, a + line, LE);
      ShortVector qb = ShortVector.fromMemorySegment(SHORTS, w, b + line, LE);
      ShortVector x = IntVector.broadcast(I, factors[i]).reinterpretAsShorts();
      ShortVector sa = qa.mul(x);
      ShortVector sb = qb.mul(x);
      x = IntVector.broadcast(I, factors[i + 1]).reinterpretAsShorts();
      qa = WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift);
      sa = sa.add(qa.mul(x));
      qb = WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift);
      sb = sb.add(qb.mul(x));
      x = IntVector.broadcast(I, factors[i + 2]).reinterpretAsShorts();
      qa = WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift);
      sa = sa.add(qa.mul(x));
      qb = WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift);
      sb = sb.add(qb.mul(x));
      x = IntVector.broadcast(I, factors[i + 3]).reinterpretAsShorts();
      qa = WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift);
      sa = sa.add(qa.mul(x));
      qb = WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift);
      sb = sb.add(qb.mul(x));
      x = IntVector.broadcast(I, factors[i + 4]).reinterpretAsShorts();
      qa = WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift);
      sa = sa.add(qa.mul(x));
      qb = WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift);
      sb = sb.add(qb.mul(x));
      x = IntVector.broadcast(I, factors[i + 5]).reinterpretAsShorts();
      qa = WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift);
      sa = sa.add(qa.mul(x));
      qb = WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift);
      sb = sb.add(qb.mul(x));
      x = IntVector.broadcast(I, factors[i + 6]).reinterpretAsShorts();
      qa = WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift);
      sa = sa.add(qa.mul(x));
      qb = WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift);
      sb = sb.add(qb.mul(x));
      x = IntVector.broadcast(I, factors[i + 7]).reinterpretAsShorts();
      qa = WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift);
      sa = sa.add(qa.mul(x));
      qb = WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift);
      sb = sb.add(qb.mul(x));
      sa.intoArray(products, to + p * STEP);
      sb.intoArray(products, to + p * STEP + ROWS);
    }
  }

  /** {@code sums += d · (Σ products − Σx)} of some blocks. */
  @Override
  void add(Job job, int group, int block, int count) {
    for (int b = 0; b < count; b++) {
      sum(job, group, b, job.numbersAt + 2 * (block + b));
    }
  }

  private static void sum(Job job, int group, int b, int number) {
    short[] products = job.products;
    IntVector low = IntVector.zero(I);
    IntVector high = low;
    for (int i = 0; i < 4; i++) {
      int p = (BODY * b + 8 * i) * STEP + group * ROWS;
      ShortVector sum = ShortVector.fromArray(SHORTS, products, p);
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 2 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 3 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 4 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 5 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 6 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 7 * STEP));
      IntVector both = sum.reinterpretAsInts();
      low = low.add(both.lanewise(LSHL, 16).lanewise(ASHR, 16));
      high = high.add(both.lanewise(ASHR, 16));
    }
    float d = job.side.numbers[number];
    float x = job.side.numbers[number + 1];
    int to = group * ROWS;
    IntVector both = IntVector.fromArray(I, job.scales, (GROUPS * b + group) * N);
    IntVector half = both.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF);
    FloatVector value = ((FloatVector) low.convertShape(I2F, F, 0)).mul(d).add(x);
    FloatVector scale = half.reinterpretAsFloats().mul(HALF_BIAS);
    value.fma(scale, FloatVector.fromArray(F, job.sums, to)).intoArray(job.sums, to);
    value = ((FloatVector) high.convertShape(I2F, F, 0)).mul(d).add(x);
    half = both.lanewise(ASHR, 3).and(HALF);
    scale = half.reinterpretAsFloats().mul(HALF_BIAS);
    value.fma(scale, FloatVector.fromArray(F, job.sums, to + N)).intoArray(job.sums, to + N);
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
