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

import dev.quern.core.format.WeightFormats;
import dev.quern.cpu.kernel.Interleave;
import dev.quern.cpu.kernel.Side;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** Q8_0: sixteen lines of two bytes a block, and one of d. Two products of int8 fit a short. */
final class Q8Lanes extends GroupLanes {
  private static final int BODY = 16;
  private static final int CHUNK = 4;
  private static final Interleave LAYOUT =
      new Interleave(WeightFormats.Q8_0, ROWS, 1, BODY, CHUNK, Q8Lanes::take);

  Q8Lanes() {
    super(LAYOUT, Side.Form.BYTES);
  }

  private static void take(MemorySegment w, long at, short[] shorts) {
    for (int i = 0; i < 1 + BODY; i++) {
      shorts[i] = Words.int16(w, at + 2L * i);
    }
  }

  /** Two products of each line: they fit a short. */
  @Override
  void products(Job job, long a, long b, long c, long d, int first, int lines) {
    MemorySegment w = Lanes.offHeap(job.w);
    int[] factors = job.side.factors;
    short[] products = job.products;
    int shift = job.side.shift;
    for (int p = 0; p < lines; p++) {
      long line = p * LINE;
      int i = first + 2 * p;
      ShortVector qa = ShortVector.fromMemorySegment(SHORTS, w, a + line, LE);
      ShortVector qb = ShortVector.fromMemorySegment(SHORTS, w, b + line, LE);
      ShortVector qc = ShortVector.fromMemorySegment(SHORTS, w, c + line, LE);
      ShortVector qd = ShortVector.fromMemorySegment(SHORTS, w, d + line, LE);
      ShortVector x = IntVector.broadcast(I, factors[i]).reinterpretAsShorts();
      ShortVector sa = qa.lanewise(LSHL, shift).lanewise(ASHR, shift).mul(x);
      ShortVector sb = qb.lanewise(LSHL, shift).lanewise(ASHR, shift).mul(x);
      ShortVector sc = qc.lanewise(LSHL, shift).lanewise(ASHR, shift).mul(x);
      ShortVector sd = qd.lanewise(LSHL, shift).lanewise(ASHR, shift).mul(x);
      x = IntVector.broadcast(I, factors[i + 1]).reinterpretAsShorts();
      sa.add(qa.lanewise(ASHR, shift).mul(x)).intoArray(products, GROUPS * p * ROWS);
      sb.add(qb.lanewise(ASHR, shift).mul(x)).intoArray(products, (GROUPS * p + 1) * ROWS);
      sc.add(qc.lanewise(ASHR, shift).mul(x)).intoArray(products, (GROUPS * p + 2) * ROWS);
      sd.add(qd.lanewise(ASHR, shift).mul(x)).intoArray(products, (GROUPS * p + 3) * ROWS);
    }
  }

  /** {@code sums += d · products} of some blocks. */
  @Override
  void add(Job job, int group, int block, int count) {
    for (int b = 0; b < count; b++) {
      add(job, group, b, job.side.numbers[job.numbersAt + 2 * (block + b)]);
    }
  }

  private static void add(Job job, int group, int b, float x) {
    short[] products = job.products;
    IntVector low = IntVector.zero(I);
    IntVector high = low;
    for (int l = 0; l < BODY; l++) {
      int p = (BODY * b + l) * STEP + group * ROWS;
      IntVector both = ShortVector.fromArray(SHORTS, products, p).reinterpretAsInts();
      low = low.add(both.lanewise(LSHL, 16).lanewise(ASHR, 16));
      high = high.add(both.lanewise(ASHR, 16));
    }
    IntVector d = IntVector.fromArray(I, job.scales, (GROUPS * b + group) * N);
    int to = group * ROWS;
    FloatVector value = (FloatVector) low.convertShape(I2F, F, 0);
    IntVector half = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF);
    FloatVector scale = half.reinterpretAsFloats().mul(HALF_BIAS).mul(x);
    value.fma(scale, FloatVector.fromArray(F, job.sums, to)).intoArray(job.sums, to);
    value = (FloatVector) high.convertShape(I2F, F, 0);
    half = d.lanewise(ASHR, 3).and(HALF);
    scale = half.reinterpretAsFloats().mul(HALF_BIAS).mul(x);
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
    for (int b = 0; b < count / 32; b++) {
      int block = column / 32 + b;
      IntVector d = LaneMath.line(w, group + LAYOUT.headAt(k, block));
      long at = group + LAYOUT.bodyAt(block);
      long first = to + 32L * b * stride;
      bytes(w, at, LaneMath.lowHalf(d), LaneMath.highHalf(d), tile, first, stride);
    }
  }

  private static void bytes(
      MemorySegment w,
      long at,
      FloatVector d,
      FloatVector highD,
      MemorySegment tile,
      long to,
      long stride) {
    for (int i = 0; i < BODY; i++) {
      IntVector q = IntVector.fromMemorySegment(I, w, at, LE);
      at += LINE;
      for (int b = 0; b < 2; b++) {
        IntVector low = q.lanewise(LSHL, 24 - 8 * b).lanewise(ASHR, 24);
        ((FloatVector) low.convertShape(I2F, F, 0)).mul(d).intoMemorySegment(tile, to, LE);
        IntVector high = q.lanewise(LSHL, 8 - 8 * b).lanewise(ASHR, 24);
        FloatVector value = ((FloatVector) high.convertShape(I2F, F, 0)).mul(highD);
        value.intoMemorySegment(tile, to + 4L * N, LE);
        to += stride;
      }
    }
  }
}
