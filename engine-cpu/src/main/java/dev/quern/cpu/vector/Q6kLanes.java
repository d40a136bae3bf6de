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

/**
 * Q6_K: lines of d and of two parts' scales each; then for every eight numbers three lines, each of
 * two of them and of two bits of the seventh and the eighth.
 */
final class Q6kLanes extends GroupLanes {
  private static final int HEAD = 9;
  private static final int BODY = 96;
  private static final int CHUNK = 1;

  /** The last two bits of both halves of a lane, moved down. */
  private static final int LAST = 0x0003_0003;

  private static final Interleave LAYOUT =
      new Interleave(WeightFormats.Q6_K, ROWS, HEAD, BODY, CHUNK, Q6kLanes::take);

  Q6kLanes() {
    super(LAYOUT, Side.Form.SIXES);
  }

  private static void take(MemorySegment w, long at, short[] shorts) {
    shorts[0] = Words.int16(w, at + 208);
    for (int j = 0; j < 8; j++) {
      shorts[1 + j] = Words.int16(w, at + 192 + 2L * j);
    }
    for (int i = 0; i < 32; i++) { // eight numbers at a time
      int p = i / 4 % 4;
      long low =
          Words.int64(w, at + 64L * (i / 16) + 32L * (p % 2) + 8L * (i % 4)) >>> (4 * (p / 2));
      long bits = Words.int64(w, at + 128 + 32L * (i / 16) + 8L * (i % 4)) >>> (2 * p);
      long q = (low & 0x0F0F0F0F_0F0F0F0FL) | (bits & 0x03030303_03030303L) << 4;
      long six = q >>> 48 & 63;
      long seven = q >>> 56;
      for (int s = 0; s < 3; s++) {
        long two = q >>> (16 * s);
        long ends = (six >>> (2 * s) & 3) << 12 | (seven >>> (2 * s) & 3) << 14;
        shorts[HEAD + 3 * i + s] = (short) ((two & 63) | (two >>> 8 & 63) << 6 | ends);
      }
    }
  }

  /**
   * As in {@link LaneMath}, but the last number is two bits from the one before. It is cut out by a
   * constant shift of ints: for a second count in a variable C2 has no register.
   */
  @Override
  void products(Job job, long a, long b, long c, long d, int first, int lines) {
    MemorySegment w = Lanes.offHeap(job.w);
    int[] factors = job.side.factors;
    short[] products = job.products;
    int shift = job.side.shift;
    ShortVector counts = ShortVector.broadcast(SHORTS, shift);
    for (int p = 0; p < lines; p++) {
      long line = p * LINE;
      int i = first + 4 * p;
      ShortVector qa = ShortVector.fromMemorySegment(SHORTS, w, a + line, LE);
      ShortVector qb = ShortVector.fromMemorySegment(SHORTS, w, b + line, LE);
      ShortVector qc = ShortVector.fromMemorySegment(SHORTS, w, c + line, LE);
      ShortVector qd = ShortVector.fromMemorySegment(SHORTS, w, d + line, LE);
      ShortVector x = IntVector.broadcast(I, factors[i]).reinterpretAsShorts();
      ShortVector sa = qa.mul(x);
      ShortVector sb = qb.mul(x);
      ShortVector sc = qc.mul(x);
      ShortVector sd = qd.mul(x);
      x = IntVector.broadcast(I, factors[i + 1]).reinterpretAsShorts();
      qa = WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift);
      sa = sa.add(qa.mul(x));
      qb = WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift);
      sb = sb.add(qb.mul(x));
      qc = WIDE ? qc.lanewise(LSHR, counts) : qc.lanewise(LSHR, shift);
      sc = sc.add(qc.mul(x));
      qd = WIDE ? qd.lanewise(LSHR, counts) : qd.lanewise(LSHR, shift);
      sd = sd.add(qd.mul(x));
      x = IntVector.broadcast(I, factors[i + 2]).reinterpretAsShorts();
      qa = WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift);
      sa = sa.add(qa.mul(x));
      qb = WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift);
      sb = sb.add(qb.mul(x));
      qc = WIDE ? qc.lanewise(LSHR, counts) : qc.lanewise(LSHR, shift);
      sc = sc.add(qc.mul(x));
      qd = WIDE ? qd.lanewise(LSHR, counts) : qd.lanewise(LSHR, shift);
      sd = sd.add(qd.mul(x));
      x = IntVector.broadcast(I, factors[i + 3]).reinterpretAsShorts();
      sa = sa.add(qa.reinterpretAsInts().lanewise(LSHR, 2).and(LAST).reinterpretAsShorts().mul(x));
      sb = sb.add(qb.reinterpretAsInts().lanewise(LSHR, 2).and(LAST).reinterpretAsShorts().mul(x));
      sc = sc.add(qc.reinterpretAsInts().lanewise(LSHR, 2).and(LAST).reinterpretAsShorts().mul(x));
      sd = sd.add(qd.reinterpretAsInts().lanewise(LSHR, 2).and(LAST).reinterpretAsShorts().mul(x));
      sa.intoArray(products, GROUPS * p * ROWS);
      sb.intoArray(products, (GROUPS * p + 1) * ROWS);
      sc.intoArray(products, (GROUPS * p + 2) * ROWS);
      sd.intoArray(products, (GROUPS * p + 3) * ROWS);
    }
  }

  /** {@code sums += d · Σ sc · products} of a block. */
  @Override
  void add(Job job, int group, int block, int count) {
    int[] lines = job.scales;
    short[] products = job.products;
    float[] numbers = job.side.numbers;
    short[] starts = job.side.starts;
    int start = job.startsAt + 48 * block;
    int number = job.numbersAt + 16 * block;
    FloatVector low = FloatVector.zero(F);
    FloatVector high = low;
    for (int j = 0; j < 16; j++) {
      int p = 6 * j * STEP + group * ROWS;
      int s = start + 3 * j;
      ShortVector sum = ShortVector.broadcast(SHORTS, starts[s]);
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + STEP));
      IntVector a = sum.reinterpretAsInts();
      sum = ShortVector.broadcast(SHORTS, starts[s + 1]);
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 2 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 3 * STEP));
      IntVector b = sum.reinterpretAsInts();
      sum = ShortVector.broadcast(SHORTS, starts[s + 2]);
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 4 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 5 * STEP));
      IntVector c = sum.reinterpretAsInts();
      IntVector part = a.lanewise(LSHL, 16).lanewise(ASHR, 16);
      part = part.add(b.lanewise(LSHL, 16).lanewise(ASHR, 16));
      part = part.add(c.lanewise(LSHL, 16).lanewise(ASHR, 16));
      int even = 8 - 8 * (j & 1);
      IntVector scales = IntVector.fromArray(I, lines, (GROUPS * (1 + (j >> 1)) + group) * N);
      part = part.mul(scales.lanewise(LSHL, 16 + even).lanewise(ASHR, 24));
      FloatVector d = FloatVector.broadcast(F, numbers[number + (j & ~1)]);
      low = ((FloatVector) part.convertShape(I2F, F, 0)).fma(d, low);
      part = a.lanewise(ASHR, 16).add(b.lanewise(ASHR, 16)).add(c.lanewise(ASHR, 16));
      part = part.mul(scales.lanewise(LSHL, even).lanewise(ASHR, 24));
      high = ((FloatVector) part.convertShape(I2F, F, 0)).fma(d, high);
    }
    IntVector both = IntVector.fromArray(I, lines, group * N);
    int to = group * ROWS;
    IntVector half = both.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF);
    FloatVector d = half.reinterpretAsFloats().mul(HALF_BIAS);
    low.fma(d, FloatVector.fromArray(F, job.sums, to)).intoArray(job.sums, to);
    half = both.lanewise(ASHR, 3).and(HALF);
    d = half.reinterpretAsFloats().mul(HALF_BIAS);
    high.fma(d, FloatVector.fromArray(F, job.sums, to + N)).intoArray(job.sums, to + N);
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
    factors(w, group + LAYOUT.headAt(k, block), factors);
    long at = group + LAYOUT.bodyAt(block);
    for (int i = 0; i < 32; i++) {
      int factor = i / 2 * ROWS;
      long line = at + 3L * i * LINE;
      long first = to + 8L * i * stride;
      eight(w, line, 0, factors, factor, tile, first, stride);
      eight(w, line, 16, factors, factor + N, tile, first + 4L * N, stride);
    }
  }

  /** {@code d · scⱼ} of each part, of the lower rows, then of the upper ones. */
  private static void factors(MemorySegment w, long at, float[] factors) {
    IntVector half = IntVector.fromMemorySegment(I, w, at, LE);
    FloatVector d =
        half.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().mul(HALF_BIAS);
    FloatVector highD = half.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().mul(HALF_BIAS);
    for (int j = 0; j < 16; j++) {
      int even = 8 - 8 * (j & 1);
      IntVector scales = IntVector.fromMemorySegment(I, w, at + (1 + (j >> 1)) * LINE, LE);
      IntVector sc = scales.lanewise(LSHL, 16 + even).lanewise(ASHR, 24);
      ((FloatVector) sc.convertShape(I2F, F, 0)).mul(d).intoArray(factors, j * ROWS);
      sc = scales.lanewise(LSHL, even).lanewise(ASHR, 24);
      ((FloatVector) sc.convertShape(I2F, F, 0)).mul(highD).intoArray(factors, j * ROWS + N);
    }
  }

  /** Eight columns of the rows of one half of the lanes. */
  private static void eight(
      MemorySegment w,
      long at,
      int shift,
      float[] factors,
      int factor,
      MemorySegment tile,
      long to,
      long stride) {
    FloatVector scale = FloatVector.fromArray(F, factors, factor);
    FloatVector offset = scale.mul(-32);
    IntVector six = IntVector.zero(I);
    IntVector seven = six;
    long last = to + 6 * stride;
    for (int s = 0; s < 3; s++) {
      IntVector q = IntVector.fromMemorySegment(I, w, at, LE).lanewise(LSHR, shift);
      at += LINE;
      FloatVector value = (FloatVector) q.and(63).convertShape(I2F, F, 0);
      value.fma(scale, offset).intoMemorySegment(tile, to, LE);
      q = q.lanewise(LSHR, 6);
      value = (FloatVector) q.and(63).convertShape(I2F, F, 0);
      value.fma(scale, offset).intoMemorySegment(tile, to + stride, LE);
      to += 2 * stride;
      six = six.or(q.lanewise(LSHR, 6).and(3).lanewise(LSHL, 2 * s));
      seven = seven.or(q.lanewise(LSHR, 8).and(3).lanewise(LSHL, 2 * s));
    }
    FloatVector value = (FloatVector) six.convertShape(I2F, F, 0);
    value.fma(scale, offset).intoMemorySegment(tile, last, LE);
    value = (FloatVector) seven.convertShape(I2F, F, 0);
    value.fma(scale, offset).intoMemorySegment(tile, last + stride, LE);
  }
}
