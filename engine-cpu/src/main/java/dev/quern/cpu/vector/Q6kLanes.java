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

/**
 * Q6_K: lines of d and of two parts' scales each; then for every eight numbers three lines, each of
 * two of them and of two bits of the seventh and the eighth.
 */
final class Q6kLanes implements RowLanes {
  private static final int HEAD = 9;
  private static final int BODY = 96;
  private static final int CHUNK = 4;

  private static final Interleave LAYOUT =
      new Interleave(WeightFormats.Q6_K, ROWS, HEAD, BODY, CHUNK, Q6kLanes::take);

  @Override
  public Interleave layout() {
    return LAYOUT;
  }

  @Override
  public Side.Form form() {
    return Side.Form.SIXES;
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
      int x = job.factorsAt + 384 * block;
      int pairs = BODY / 2 * count;
      LaneMath.products(job.w, body, side.shift, side.last, side.factors, x, pairs, job.products);
      long head = at + LAYOUT.headAt(job.k, block);
      for (int b = 0; b < count; b++) {
        add(job, head + b * (HEAD * LINE), b * (BODY / 2 * ROWS), block + b);
      }
    }
    job.store(n, ROWS);
  }

  /** {@code sums += d · Σ sc · products} of a block. */
  private static void add(Job job, long at, int product, int block) {
    MemorySegment w = job.w;
    short[] products = job.products;
    float[] numbers = job.side.numbers;
    short[] starts = job.side.starts;
    int start = job.startsAt + 48 * block;
    int number = job.numbersAt + 16 * block;
    FloatVector low = FloatVector.zero(F);
    FloatVector high = low;
    for (int j = 0; j < 16; j++) {
      int p = product + 3 * j * ROWS;
      int s = start + 3 * j;
      ShortVector sum = ShortVector.broadcast(SHORTS, starts[s]);
      IntVector a = sum.add(ShortVector.fromArray(SHORTS, products, p)).reinterpretAsInts();
      sum = ShortVector.broadcast(SHORTS, starts[s + 1]);
      IntVector b = sum.add(ShortVector.fromArray(SHORTS, products, p + ROWS)).reinterpretAsInts();
      sum = ShortVector.broadcast(SHORTS, starts[s + 2]);
      IntVector c =
          sum.add(ShortVector.fromArray(SHORTS, products, p + 2 * ROWS)).reinterpretAsInts();
      IntVector part = a.lanewise(LSHL, 16).lanewise(ASHR, 16);
      part = part.add(b.lanewise(LSHL, 16).lanewise(ASHR, 16));
      part = part.add(c.lanewise(LSHL, 16).lanewise(ASHR, 16));
      int even = 8 - 8 * (j & 1);
      IntVector scales = IntVector.fromMemorySegment(I, w, at + (1 + (j >> 1)) * LINE, LE);
      part = part.mul(scales.lanewise(LSHL, 16 + even).lanewise(ASHR, 24));
      FloatVector d = FloatVector.broadcast(F, numbers[number + (j & ~1)]);
      low = ((FloatVector) part.convertShape(I2F, F, 0)).fma(d, low);
      part = a.lanewise(ASHR, 16).add(b.lanewise(ASHR, 16)).add(c.lanewise(ASHR, 16));
      part = part.mul(scales.lanewise(LSHL, even).lanewise(ASHR, 24));
      high = ((FloatVector) part.convertShape(I2F, F, 0)).fma(d, high);
    }
    IntVector half = IntVector.fromMemorySegment(I, w, at, LE);
    FloatVector d =
        half.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().mul(HALF_BIAS);
    low.fma(d, FloatVector.fromArray(F, job.sums, 0)).intoArray(job.sums, 0);
    d = half.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().mul(HALF_BIAS);
    high.fma(d, FloatVector.fromArray(F, job.sums, N)).intoArray(job.sums, N);
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
      eight(w, line, 0, FloatVector.fromArray(F, factors, factor), tile, first, stride);
      eight(
          w, line, 16, FloatVector.fromArray(F, factors, factor + N), tile, first + 4L * N, stride);
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
      FloatVector scale,
      MemorySegment tile,
      long to,
      long stride) {
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
