package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.HALF;
import static dev.quern.cpu.vector.LaneMath.HALF_BIAS;
import static dev.quern.cpu.vector.LaneMath.LINE;
import static dev.quern.cpu.vector.LaneMath.words;
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
 * Q4_K: words 0 to 3 of a block are d and dmin, then scales and minima of 6 bits, then 32 words of
 * nibbles. A nibble times an int8 fits a short, as do the 16 products of a part that a short meets.
 */
final class Q4kLanes implements RowLanes {
  private static final Interleave LAYOUT = new Interleave(WeightFormats.Q4_K, N, -1);

  @Override
  public Interleave layout() {
    return LAYOUT;
  }

  @Override
  public Side.Form form() {
    return Side.Form.PLAIN;
  }

  @Override
  public void run(Job job) {
    for (int n = 0; n < job.rows; n += N) {
      group(job, job.wAt + n / N * job.rowBytes, n);
    }
  }

  private static void group(Job job, long at, int n) {
    int blocks = job.k / 256;
    Arrays.fill(job.sums, 0, N, 0);
    for (int block = 0; block < blocks; block++) {
      long words = at + 4 * LINE;
      products(job.w, words, job.line, job.side.pairs, job.quantisedAt + 128 * block, job.parts);
      add(job.w, at, job.parts, job.side.numbers, job.numbersAt + 16 * block, job.sums);
      at += 36 * LINE;
    }
    job.store(n, N);
  }

  /** The products of the eight parts of a block. */
  private static void products(
      MemorySegment w, long place, int line, int[] x, int xAt, int[] parts) {
    for (int c = 0; c < 4; c++) {
      ShortVector low = ShortVector.zero(SHORTS);
      ShortVector high = low;
      int first = xAt + 32 * c;
      for (int pair = first; pair < first + 16; pair += 2) {
        ShortVector q = IntVector.fromMemorySegment(I, w, place, LE).reinterpretAsShorts();
        place += line;
        ShortVector x0 = IntVector.broadcast(I, x[pair]).reinterpretAsShorts();
        ShortVector x1 = IntVector.broadcast(I, x[pair + 1]).reinterpretAsShorts();
        ShortVector y0 = IntVector.broadcast(I, x[pair + 16]).reinterpretAsShorts();
        ShortVector y1 = IntVector.broadcast(I, x[pair + 17]).reinterpretAsShorts();
        low = low.add(q.and((short) 15).mul(x0));
        q = q.lanewise(LSHR, 4);
        high = high.add(q.and((short) 15).mul(y0));
        q = q.lanewise(LSHR, 4);
        low = low.add(q.and((short) 15).mul(x1));
        q = q.lanewise(LSHR, 4);
        high = high.add(q.mul(y1));
      }
      IntVector one = low.reinterpretAsInts();
      IntVector two = high.reinterpretAsInts();
      one = one.lanewise(LSHL, 16).lanewise(ASHR, 16).add(one.lanewise(ASHR, 16));
      two = two.lanewise(LSHL, 16).lanewise(ASHR, 16).add(two.lanewise(ASHR, 16));
      one.intoArray(parts, 2 * c * N);
      two.intoArray(parts, (2 * c + 1) * N);
    }
  }

  /** {@code sums += d · Σ sc · products − dmin · Σ m · Σx}. */
  static void add(
      MemorySegment w, long at, int[] parts, float[] numbers, int number, float[] sums) {
    IntVector both = IntVector.fromMemorySegment(I, w, at, LE);
    IntVector sc = IntVector.fromMemorySegment(I, w, at + LINE, LE);
    IntVector m = IntVector.fromMemorySegment(I, w, at + 2 * LINE, LE);
    IntVector rest = IntVector.fromMemorySegment(I, w, at + 3 * LINE, LE);
    IntVector sc4 = sc.lanewise(LSHR, 2).and(0x30303030).or(rest.and(0x0F0F0F0F));
    IntVector m4 = m.lanewise(LSHR, 2).and(0x30303030).or(rest.lanewise(LSHR, 4).and(0x0F0F0F0F));
    FloatVector products = FloatVector.zero(F);
    FloatVector minima = products;
    for (int j = 0; j < 4; j++) {
      int d = number + 2 * j;
      IntVector p = IntVector.fromArray(I, parts, j * N);
      IntVector p4 = IntVector.fromArray(I, parts, (j + 4) * N);
      FloatVector scale = ((FloatVector) sc.and(63).convertShape(I2F, F, 0)).mul(numbers[d]);
      FloatVector scale4 = ((FloatVector) sc4.and(255).convertShape(I2F, F, 0)).mul(numbers[d + 8]);
      products = ((FloatVector) p.convertShape(I2F, F, 0)).fma(scale, products);
      products = ((FloatVector) p4.convertShape(I2F, F, 0)).fma(scale4, products);
      FloatVector x = FloatVector.broadcast(F, numbers[d + 1]);
      FloatVector x4 = FloatVector.broadcast(F, numbers[d + 9]);
      minima = ((FloatVector) m.and(63).convertShape(I2F, F, 0)).fma(x, minima);
      minima = ((FloatVector) m4.and(255).convertShape(I2F, F, 0)).fma(x4, minima);
      sc = sc.lanewise(LSHR, 8);
      sc4 = sc4.lanewise(LSHR, 8);
      m = m.lanewise(LSHR, 8);
      m4 = m4.lanewise(LSHR, 8);
    }
    FloatVector sum = FloatVector.fromArray(F, sums, 0);
    IntVector d = both.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF);
    IntVector dmin = both.lanewise(ASHR, 3).and(HALF);
    sum = products.fma(d.reinterpretAsFloats().mul(HALF_BIAS), sum);
    sum = minima.fma(dmin.reinterpretAsFloats().mul(HALF_BIAS), sum);
    sum.intoArray(sums, 0);
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
    long at = group + 36 * LINE * (column / 256);
    factors(w, at, factors);
    for (int j = 0; j < count / 32; j++) {
      long q = at + LINE * (4 + 8 * (j / 2));
      part(w, q, 4 * (j % 2), factors, j * N, tile, to + 32L * j * stride, stride);
    }
  }

  /** {@code d · scⱼ} of the parts of a block, then {@code −dmin · mⱼ}. */
  static void factors(MemorySegment w, long at, float[] factors) {
    IntVector both = IntVector.fromMemorySegment(I, w, at, LE);
    IntVector sc = IntVector.fromMemorySegment(I, w, at + LINE, LE);
    IntVector m = IntVector.fromMemorySegment(I, w, at + 2 * LINE, LE);
    IntVector rest = IntVector.fromMemorySegment(I, w, at + 3 * LINE, LE);
    IntVector sc4 = sc.lanewise(LSHR, 2).and(0x30303030).or(rest.and(0x0F0F0F0F));
    IntVector m4 = m.lanewise(LSHR, 2).and(0x30303030).or(rest.lanewise(LSHR, 4).and(0x0F0F0F0F));
    IntVector low = both.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF);
    FloatVector d = low.reinterpretAsFloats().mul(HALF_BIAS);
    FloatVector dmin = both.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().mul(-HALF_BIAS);
    for (int j = 0; j < 4; j++) {
      ((FloatVector) sc.and(63).convertShape(I2F, F, 0)).mul(d).intoArray(factors, j * N);
      ((FloatVector) sc4.and(63).convertShape(I2F, F, 0)).mul(d).intoArray(factors, (4 + j) * N);
      ((FloatVector) m.and(63).convertShape(I2F, F, 0)).mul(dmin).intoArray(factors, (8 + j) * N);
      ((FloatVector) m4.and(63).convertShape(I2F, F, 0)).mul(dmin).intoArray(factors, (12 + j) * N);
      sc = sc.lanewise(LSHR, 8);
      sc4 = sc4.lanewise(LSHR, 8);
      m = m.lanewise(LSHR, 8);
      m4 = m4.lanewise(LSHR, 8);
    }
  }

  private static void part(
      MemorySegment w,
      long at,
      int shift,
      float[] factors,
      int factor,
      MemorySegment tile,
      long to,
      long stride) {
    FloatVector scale = FloatVector.fromArray(F, factors, factor);
    FloatVector offset = FloatVector.fromArray(F, factors, factor + 8 * N);
    for (int i = 0; i < 8; i++) {
      IntVector q = IntVector.fromMemorySegment(I, w, at, LE).lanewise(LSHR, shift);
      at += LINE;
      for (int b = 0; b < 4; b++) {
        FloatVector value = (FloatVector) q.and(15).convertShape(I2F, F, 0);
        value.fma(scale, offset).intoMemorySegment(tile, to, LE);
        q = q.lanewise(LSHR, 8);
        to += stride;
      }
    }
  }
}
