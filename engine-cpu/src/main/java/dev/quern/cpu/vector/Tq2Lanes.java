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
import static dev.quern.cpu.vector.Lanes.toFloat;
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
 * TQ2_0: sixteen words of sixteen codes a block. A short meets 64 products of half a block, which
 * fit it.
 */
final class Tq2Lanes implements RowLanes {
  private static final Interleave LAYOUT = new Interleave(WeightFormats.TQ2_0, N, 64);

  @Override
  public Interleave layout() {
    return LAYOUT;
  }

  @Override
  public Side.Form form() {
    return Side.Form.TERNARY;
  }

  @Override
  public void run(Job job) {
    for (int n = 0; n < job.rows; n += N) {
      group(job, job.wAt + n / N * job.rowBytes, n);
    }
  }

  private static void group(Job job, long group, int n) {
    long at = group + LAYOUT.headBytes(job.k);
    int blocks = job.k / 256;
    Arrays.fill(job.sums, 0, N, 0);
    for (int block = 0; block < blocks; block += 8) {
      int count = Math.min(8, blocks - block);
      int xAt = job.quantisedAt + 128 * block;
      products(job.w, at, job.line, job.side.pairs, xAt, count, job.parts);
      long head = group + LINE * (block / 2);
      int number = job.numbersAt + 2 * block;
      add(job.w, head, count, job.parts, job.side.numbers, number, job.sums);
      at += 16 * LINE * count;
    }
    job.store(n, N);
  }

  /** The products of halves of some blocks: those of even bytes, then those of odd ones. */
  private static void products(
      MemorySegment w, long place, int line, int[] x, int xAt, int count, int[] parts) {
    for (int half = 0; half < 2 * count; half++) {
      int first = xAt + 64 * half;
      ShortVector sum = ShortVector.zero(SHORTS);
      long again = place;
      for (int pair = first; pair < first + 16; pair += 2) {
        ShortVector q = IntVector.fromMemorySegment(I, w, again, LE).reinterpretAsShorts();
        again += line;
        ShortVector x0 = IntVector.broadcast(I, x[pair]).reinterpretAsShorts();
        sum = sum.add(q.and((short) 3).mul(x0));
        q = q.lanewise(LSHR, 2);
        ShortVector x1 = IntVector.broadcast(I, x[pair + 16]).reinterpretAsShorts();
        sum = sum.add(q.and((short) 3).mul(x1));
        q = q.lanewise(LSHR, 2);
        ShortVector x2 = IntVector.broadcast(I, x[pair + 32]).reinterpretAsShorts();
        sum = sum.add(q.and((short) 3).mul(x2));
        q = q.lanewise(LSHR, 2);
        ShortVector x3 = IntVector.broadcast(I, x[pair + 48]).reinterpretAsShorts();
        sum = sum.add(q.and((short) 3).mul(x3));
      }
      for (int pair = first + 1; pair < first + 17; pair += 2) {
        ShortVector q = IntVector.fromMemorySegment(I, w, place, LE).reinterpretAsShorts();
        place += line;
        q = q.lanewise(LSHR, 8);
        ShortVector x0 = IntVector.broadcast(I, x[pair]).reinterpretAsShorts();
        sum = sum.add(q.and((short) 3).mul(x0));
        q = q.lanewise(LSHR, 2);
        ShortVector x1 = IntVector.broadcast(I, x[pair + 16]).reinterpretAsShorts();
        sum = sum.add(q.and((short) 3).mul(x1));
        q = q.lanewise(LSHR, 2);
        ShortVector x2 = IntVector.broadcast(I, x[pair + 32]).reinterpretAsShorts();
        sum = sum.add(q.and((short) 3).mul(x2));
        q = q.lanewise(LSHR, 2);
        ShortVector x3 = IntVector.broadcast(I, x[pair + 48]).reinterpretAsShorts();
        sum = sum.add(q.mul(x3));
      }
      IntVector both = sum.reinterpretAsInts();
      both = both.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both.lanewise(ASHR, 16));
      both.intoArray(parts, half * N);
    }
  }

  /** {@code sums += d · (Σ products − Σx)} of some blocks. */
  private static void add(
      MemorySegment w,
      long head,
      int count,
      int[] parts,
      float[] numbers,
      int number,
      float[] sums) {
    FloatVector sum = FloatVector.fromArray(F, sums, 0);
    for (int b = 0; b < count; b++) {
      IntVector d = IntVector.fromMemorySegment(I, w, head + LINE * (b >> 1), LE);
      d = d.lanewise(LSHL, 16 & ~(b << 4)).lanewise(ASHR, 3).and(HALF);
      IntVector part = IntVector.fromArray(I, parts, 2 * b * N);
      part = part.add(IntVector.fromArray(I, parts, (2 * b + 1) * N));
      FloatVector value = (FloatVector) part.convertShape(I2F, F, 0);
      value = value.mul(numbers[number + 2 * b]).add(numbers[number + 2 * b + 1]);
      sum = value.fma(d.reinterpretAsFloats().mul(HALF_BIAS), sum);
    }
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
    long at = group + LAYOUT.headBytes(k) + 16 * LINE * (column / 256);
    FloatVector d = LaneMath.scale(w, group, column / 256);
    FloatVector offset = d.neg();
    for (int i = 0; i < 16; i++) {
      IntVector word = words(w, at + LINE * i);
      long first = to + (128L * (i / 8) + 4L * (i % 8)) * stride;
      for (int p = 0; p < 4; p++) {
        codes(word, 2 * p, d, offset, tile, first + 32L * p * stride, stride);
      }
    }
  }

  private static void codes(
      IntVector word,
      int shift,
      FloatVector d,
      FloatVector offset,
      MemorySegment tile,
      long to,
      long stride) {
    for (int b = 0; b < 4; b++) {
      IntVector q = word.lanewise(LSHR, 8 * b + shift).and(3);
      Lanes.store(toFloat(q).fma(d, offset), tile, to + b * stride);
    }
  }
}
