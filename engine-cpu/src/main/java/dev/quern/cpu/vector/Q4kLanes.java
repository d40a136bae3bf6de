package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.GROUPS;
import static dev.quern.cpu.vector.LaneMath.HALF;
import static dev.quern.cpu.vector.LaneMath.HALF_BIAS;
import static dev.quern.cpu.vector.LaneMath.LINE;
import static dev.quern.cpu.vector.LaneMath.ROWS;
import static dev.quern.cpu.vector.LaneMath.STEP;
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
 * Q4_K: lines of d, of dmin and of each part's scale and minimum; then 64 lines of four nibbles.
 * With 8 taken off, the 32 products of a part fit a short.
 */
final class Q4kLanes extends GroupLanes {
  private static final int HEAD = 10;
  private static final int BODY = 64;
  private static final int CHUNK = 1;

  private static final Interleave LAYOUT =
      new Interleave(WeightFormats.Q4_K, ROWS, HEAD, BODY, CHUNK, Q4kLanes::take);

  private static final long LOW = 0x0F0F0F0F_0F0F0F0FL;

  Q4kLanes() {
    super(LAYOUT, Side.Form.NIBBLES);
  }

  private static void take(MemorySegment w, long at, short[] shorts) {
    head(w, at, shorts);
    for (int c = 0; c < 4; c++) {
      for (int i = 0; i < 4; i++) {
        long bytes = Words.int64(w, at + 16 + 32L * c + 8L * i);
        Words.put(Long.compress(bytes, LOW), shorts, HEAD + 16 * c + 2 * i);
        Words.put(Long.compress(bytes, ~LOW), shorts, HEAD + 16 * c + 8 + 2 * i);
      }
    }
  }

  /** The scales of a block of Q4_K or Q5_K. */
  static void head(MemorySegment w, long at, short[] shorts) {
    Words.put(Lanes.int32(w, at), shorts, 0);
    int s = Lanes.int32(w, at + 4);
    int m = Lanes.int32(w, at + 8);
    int both = Lanes.int32(w, at + 12);
    int s4 = (both & 0x0F0F0F0F) | ((s >>> 2) & 0x30303030);
    int m4 = ((both >>> 4) & 0x0F0F0F0F) | ((m >>> 2) & 0x30303030);
    for (int j = 0; j < 4; j++) {
      shorts[2 + j] = (short) ((s >>> (8 * j) & 63) | (m >>> (8 * j) & 63) << 8);
      shorts[6 + j] = (short) ((s4 >>> (8 * j) & 63) | (m4 >>> (8 * j) & 63) << 8);
    }
  }

  @Override
  void add(Job job, int group, int block, int count) {
    parts(job, group, job.startsAt + 8 * block);
    scaled(job, group, job.numbersAt + 16 * block, -8);
  }

  /** The products of the eight parts of a block, of the lower rows, then of the upper ones. */
  private static void parts(Job job, int group, int start) {
    short[] products = job.products;
    short[] starts = job.side.starts;
    for (int j = 0; j < 8; j++) {
      int p = 8 * j * STEP + group * ROWS;
      ShortVector sum = ShortVector.broadcast(SHORTS, starts[start + j]);
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 2 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 3 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 4 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 5 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 6 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 7 * STEP));
      IntVector both = sum.reinterpretAsInts();
      both.lanewise(LSHL, 16).lanewise(ASHR, 16).intoArray(job.parts, 2 * j * N);
      both.lanewise(ASHR, 16).intoArray(job.parts, (2 * j + 1) * N);
    }
  }

  /**
   * {@code sums += d · Σ sc · products − dmin · Σ m · Σx} of a block of Q4_K or Q5_K.
   *
   * @param job with the products of the parts
   * @param group which of the four
   * @param number where the numbers of the activations start
   * @param offset minus what was taken off the weights
   */
  static void scaled(Job job, int group, int number, float offset) {
    int[] lines = job.scales;
    int[] parts = job.parts;
    float[] numbers = job.side.numbers;
    FloatVector low = FloatVector.zero(F);
    FloatVector high = low;
    FloatVector lowMin = low;
    FloatVector highMin = low;
    for (int j = 0; j < 8; j++) {
      IntVector scales = IntVector.fromArray(I, lines, (GROUPS * (2 + j) + group) * N);
      FloatVector d = FloatVector.broadcast(F, numbers[number + 2 * j]);
      FloatVector x = FloatVector.broadcast(F, numbers[number + 2 * j + 1]);
      FloatVector rest = FloatVector.broadcast(F, offset * numbers[number + 2 * j + 1]);
      IntVector part = IntVector.fromArray(I, parts, 2 * j * N);
      FloatVector value = (FloatVector) part.convertShape(I2F, F, 0);
      low = value.fma(d, rest).fma((FloatVector) scales.and(255).convertShape(I2F, F, 0), low);
      scales = scales.lanewise(LSHR, 8);
      lowMin = ((FloatVector) scales.and(255).convertShape(I2F, F, 0)).fma(x, lowMin);
      scales = scales.lanewise(LSHR, 8);
      part = IntVector.fromArray(I, parts, (2 * j + 1) * N);
      value = (FloatVector) part.convertShape(I2F, F, 0);
      high = value.fma(d, rest).fma((FloatVector) scales.and(255).convertShape(I2F, F, 0), high);
      scales = scales.lanewise(LSHR, 8);
      highMin = ((FloatVector) scales.convertShape(I2F, F, 0)).fma(x, highMin);
    }
    IntVector d = IntVector.fromArray(I, lines, group * N);
    IntVector dmin = IntVector.fromArray(I, lines, (GROUPS + group) * N);
    int to = group * ROWS;
    FloatVector sum = FloatVector.fromArray(F, job.sums, to);
    IntVector half = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF);
    sum = low.fma(half.reinterpretAsFloats().mul(HALF_BIAS), sum);
    half = dmin.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF);
    lowMin.fma(half.reinterpretAsFloats().mul(HALF_BIAS), sum).intoArray(job.sums, to);
    sum = FloatVector.fromArray(F, job.sums, to + N);
    half = d.lanewise(ASHR, 3).and(HALF);
    sum = high.fma(half.reinterpretAsFloats().mul(HALF_BIAS), sum);
    half = dmin.lanewise(ASHR, 3).and(HALF);
    highMin.fma(half.reinterpretAsFloats().mul(HALF_BIAS), sum).intoArray(job.sums, to + N);
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
    for (int j = 0; j < 8; j++) {
      part(w, at + 8L * j * LINE, factors, 4 * N * j, tile, to + 32L * j * stride, stride);
    }
  }

  /**
   * For each part of a block {@code d · scⱼ} of the lower rows and of the upper ones, then {@code
   * −dmin · mⱼ}.
   */
  static void factors(MemorySegment w, long at, float[] factors) {
    IntVector half = IntVector.fromMemorySegment(I, w, at, LE);
    FloatVector d =
        half.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().mul(HALF_BIAS);
    FloatVector highD = half.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().mul(HALF_BIAS);
    half = IntVector.fromMemorySegment(I, w, at + LINE, LE);
    FloatVector dmin =
        half.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().mul(-HALF_BIAS);
    FloatVector highDmin = half.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().mul(-HALF_BIAS);
    for (int j = 0; j < 8; j++) {
      IntVector s = IntVector.fromMemorySegment(I, w, at + (2 + j) * LINE, LE);
      int to = 4 * N * j;
      ((FloatVector) s.and(255).convertShape(I2F, F, 0)).mul(d).intoArray(factors, to);
      s = s.lanewise(LSHR, 8);
      ((FloatVector) s.and(255).convertShape(I2F, F, 0)).mul(dmin).intoArray(factors, to + 2 * N);
      s = s.lanewise(LSHR, 8);
      ((FloatVector) s.and(255).convertShape(I2F, F, 0)).mul(highD).intoArray(factors, to + N);
      s = s.lanewise(LSHR, 8);
      ((FloatVector) s.convertShape(I2F, F, 0)).mul(highDmin).intoArray(factors, to + 3 * N);
    }
  }

  /** Some columns of nibbles. */
  static void part(
      MemorySegment w,
      long at,
      float[] factors,
      int factor,
      MemorySegment tile,
      long to,
      long stride) {
    FloatVector scale = FloatVector.fromArray(F, factors, factor);
    FloatVector highScale = FloatVector.fromArray(F, factors, factor + N);
    FloatVector offset = FloatVector.fromArray(F, factors, factor + 2 * N);
    FloatVector highOffset = FloatVector.fromArray(F, factors, factor + 3 * N);
    for (int i = 0; i < 8; i++) {
      IntVector q = IntVector.fromMemorySegment(I, w, at, LE);
      at += LINE;
      for (int b = 0; b < 4; b++) {
        FloatVector value = (FloatVector) q.and(15).convertShape(I2F, F, 0);
        value.fma(scale, offset).intoMemorySegment(tile, to, LE);
        value = (FloatVector) q.lanewise(LSHR, 16).and(15).convertShape(I2F, F, 0);
        value.fma(highScale, highOffset).intoMemorySegment(tile, to + 4L * N, LE);
        q = q.lanewise(LSHR, 4);
        to += stride;
      }
    }
  }
}
