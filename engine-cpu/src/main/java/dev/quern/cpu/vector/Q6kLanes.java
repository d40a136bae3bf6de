package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.HALF;
import static dev.quern.cpu.vector.LaneMath.HALF_BIAS;
import static dev.quern.cpu.vector.LaneMath.LINE;
import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;
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
 * Q6_K: 32 words of lower nibbles, 16 of upper bits, 4 of scales. With the offset of 32 taken off,
 * the eight products of a part that a short meets fit it.
 */
final class Q6kLanes implements RowLanes {
  private static final Interleave LAYOUT = new Interleave(WeightFormats.Q6_K, N, 208);

  @Override
  public Interleave layout() {
    return LAYOUT;
  }

  @Override
  public Side.Form form() {
    return Side.Form.PLUS_32;
  }

  @Override
  public void run(Job job) {
    for (int n = 0; n < job.rows; n += N) {
      group(job, job.wAt + n / N * job.rowBytes, n);
    }
  }

  private static void group(Job job, long group, int n) {
    int blocks = job.k / 256;
    long at = group + LAYOUT.headBytes(job.k);
    Arrays.fill(job.sums, 0, N, 0);
    for (int block = 0; block < blocks; block++) {
      int xAt = job.quantisedAt + 128 * block;
      products(job.w, at, job.line, job.side, xAt, job.startsAt + 16 * block, job.parts);
      int number = job.numbersAt + 16 * block;
      long d = group + LINE * (block >> 1);
      add(job.w, at, d, 16 & ~(block << 4), job.parts, job.side.numbers, number, job.sums);
      at += 52 * LINE;
    }
    job.store(n, N);
  }

  /** The products of the sixteen parts of a block, two that share words of nibbles at a time. */
  private static void products(
      MemorySegment w, long at, int line, Side side, int xAt, int start, int[] parts) {
    int[] x = side.pairs;
    for (int i = 0; i < 8; i++) {
      int part = i + (i & 4);
      long place = at + LINE * 4 * i;
      long upper = at + LINE * (32 + 8 * (i / 4) + 4 * (i % 2));
      int shift = i & 2;
      ShortVector low = IntVector.broadcast(I, side.starts[start + part]).reinterpretAsShorts();
      ShortVector high =
          IntVector.broadcast(I, side.starts[start + part + 4]).reinterpretAsShorts();
      int first = xAt + 8 * part;
      for (int pair = first; pair < first + 8; pair += 2) {
        ShortVector bits = IntVector.fromMemorySegment(I, w, upper, LE).reinterpretAsShorts();
        ShortVector q = IntVector.fromMemorySegment(I, w, place, LE).reinterpretAsShorts();
        upper += line;
        place += line;
        bits = bits.lanewise(LSHR, shift);
        ShortVector one = q.and((short) 0x0F0F).or(bits.lanewise(LSHL, 4).and((short) 0x3030));
        ShortVector x0 = IntVector.broadcast(I, x[pair]).reinterpretAsShorts();
        low = low.add(one.and((short) 255).mul(x0));
        ShortVector x1 = IntVector.broadcast(I, x[pair + 1]).reinterpretAsShorts();
        low = low.add(one.lanewise(LSHR, 8).mul(x1));
        ShortVector two = q.lanewise(LSHR, 4).and((short) 0x0F0F).or(bits.and((short) 0x3030));
        ShortVector y0 = IntVector.broadcast(I, x[pair + 32]).reinterpretAsShorts();
        high = high.add(two.and((short) 255).mul(y0));
        ShortVector y1 = IntVector.broadcast(I, x[pair + 33]).reinterpretAsShorts();
        high = high.add(two.lanewise(LSHR, 8).mul(y1));
      }
      IntVector one = low.reinterpretAsInts();
      IntVector two = high.reinterpretAsInts();
      one = one.lanewise(LSHL, 16).lanewise(ASHR, 16).add(one.lanewise(ASHR, 16));
      two = two.lanewise(LSHL, 16).lanewise(ASHR, 16).add(two.lanewise(ASHR, 16));
      one.intoArray(parts, part * N);
      two.intoArray(parts, (part + 4) * N);
    }
  }

  /** {@code sums += d · Σ sc · products}. */
  private static void add(
      MemorySegment w,
      long at,
      long dAt,
      int shift,
      int[] parts,
      float[] numbers,
      int number,
      float[] sums) {
    FloatVector products = FloatVector.zero(F);
    for (int i = 0; i < 4; i++) {
      IntVector sc = IntVector.fromMemorySegment(I, w, at + LINE * (48 + i), LE);
      IntVector sc0 = sc.lanewise(LSHL, 24).lanewise(ASHR, 24);
      IntVector sc1 = sc.lanewise(LSHL, 16).lanewise(ASHR, 24);
      IntVector sc2 = sc.lanewise(LSHL, 8).lanewise(ASHR, 24);
      IntVector sc3 = sc.lanewise(ASHR, 24);
      IntVector low = IntVector.fromArray(I, parts, 4 * i * N).mul(sc0);
      low = low.add(IntVector.fromArray(I, parts, (4 * i + 1) * N).mul(sc1));
      IntVector high = IntVector.fromArray(I, parts, (4 * i + 2) * N).mul(sc2);
      high = high.add(IntVector.fromArray(I, parts, (4 * i + 3) * N).mul(sc3));
      FloatVector d0 = FloatVector.broadcast(F, numbers[number + 4 * i]);
      FloatVector d1 = FloatVector.broadcast(F, numbers[number + 4 * i + 2]);
      products = ((FloatVector) low.convertShape(I2F, F, 0)).fma(d0, products);
      products = ((FloatVector) high.convertShape(I2F, F, 0)).fma(d1, products);
    }
    IntVector d = IntVector.fromMemorySegment(I, w, dAt, LE);
    d = d.lanewise(LSHL, shift).lanewise(ASHR, 3).and(HALF);
    FloatVector sum = FloatVector.fromArray(F, sums, 0);
    products.fma(d.reinterpretAsFloats().mul(HALF_BIAS), sum).intoArray(sums, 0);
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
    long at = group + LAYOUT.headBytes(k) + 52 * LINE * block;
    factors(w, at, group + LINE * (block >> 1), 16 & ~(block << 4), factors);
    for (int part = 0; part < 16; part++) {
      part(w, at, part, factors, tile, to + 16L * part * stride, stride);
    }
  }

  /** {@code d · scⱼ} of the sixteen parts. */
  private static void factors(MemorySegment w, long at, long dAt, int shift, float[] factors) {
    IntVector half = IntVector.fromMemorySegment(I, w, dAt, LE);
    half = half.lanewise(LSHL, shift).lanewise(ASHR, 3).and(HALF);
    FloatVector d = half.reinterpretAsFloats().mul(HALF_BIAS);
    for (int part = 0; part < 16; part++) {
      IntVector sc = IntVector.fromMemorySegment(I, w, at + LINE * (48 + part / 4), LE);
      sc = sc.lanewise(LSHL, 24 - 8 * (part % 4)).lanewise(ASHR, 24);
      ((FloatVector) sc.convertShape(I2F, F, 0)).mul(d).intoArray(factors, part * N);
    }
  }

  private static void part(
      MemorySegment w,
      long block,
      int part,
      float[] factors,
      MemorySegment tile,
      long to,
      long stride) {
    FloatVector scale = FloatVector.fromArray(F, factors, part * N);
    FloatVector offset = scale.mul(-32);
    int p = part / 2 % 4;
    long at = block + LINE * (16 * (part / 8) + 8 * (p % 2) + 4 * (part % 2));
    long upper = block + LINE * (32 + 8 * (part / 8) + 4 * (part % 2));
    for (int i = 0; i < 4; i++) {
      IntVector bits = IntVector.fromMemorySegment(I, w, upper, LE).lanewise(LSHR, 2 * p);
      IntVector q = IntVector.fromMemorySegment(I, w, at, LE).lanewise(LSHR, 4 * (p / 2));
      q = q.and(0x0F0F0F0F).or(bits.and(0x03030303).lanewise(LSHL, 4));
      at += LINE;
      upper += LINE;
      for (int b = 0; b < 4; b++) {
        FloatVector value = (FloatVector) q.and(255).convertShape(I2F, F, 0);
        value.fma(scale, offset).intoMemorySegment(tile, to, LE);
        q = q.lanewise(LSHR, 8);
        to += stride;
      }
    }
  }
}
