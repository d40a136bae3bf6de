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

/** Q8_0: sixteen lines of two bytes a block, and one of d. Two products of int8 fit a short. */
final class Q8Lanes implements RowLanes {
  private static final int BODY = 16;
  private static final int CHUNK = 16;
  private static final Interleave LAYOUT =
      new Interleave(WeightFormats.Q8_0, ROWS, 1, BODY, CHUNK, Q8Lanes::take);

  @Override
  public Interleave layout() {
    return LAYOUT;
  }

  @Override
  public Side.Form form() {
    return Side.Form.BYTES;
  }

  private static void take(MemorySegment w, long at, short[] shorts) {
    for (int i = 0; i < 1 + BODY; i++) {
      shorts[i] = Words.int16(w, at + 2L * i);
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
      products(job.w, body, side.shift, side.factors, x, BODY / 2 * count, job.products);
      add(job, at + LAYOUT.headAt(job.k, block), block, count);
    }
    job.store(n, ROWS);
  }

  /** The products of two lines each, as ints: of the lower rows, then of the upper ones. */
  private static void products(
      MemorySegment w, long place, int shift, short[] x, int first, int count, short[] products) {
    for (int p = 0; p < count; p++) {
      long at = place + p * (2 * LINE);
      int i = first + 4 * p;
      ShortVector q = ShortVector.fromMemorySegment(SHORTS, w, at, LE);
      ShortVector r = ShortVector.fromMemorySegment(SHORTS, w, at + LINE, LE);
      ShortVector sum =
          q.lanewise(LSHL, shift)
              .lanewise(ASHR, shift)
              .mul(ShortVector.broadcast(SHORTS, x[i]))
              .add(q.lanewise(ASHR, shift).mul(ShortVector.broadcast(SHORTS, x[i + 1])));
      IntVector a = sum.reinterpretAsInts();
      sum =
          r.lanewise(LSHL, shift)
              .lanewise(ASHR, shift)
              .mul(ShortVector.broadcast(SHORTS, x[i + 2]))
              .add(r.lanewise(ASHR, shift).mul(ShortVector.broadcast(SHORTS, x[i + 3])));
      IntVector b = sum.reinterpretAsInts();
      IntVector low = a.lanewise(LSHL, 16).lanewise(ASHR, 16);
      low = low.add(b.lanewise(LSHL, 16).lanewise(ASHR, 16));
      low.reinterpretAsShorts().intoArray(products, 2 * p * ROWS);
      IntVector high = a.lanewise(ASHR, 16).add(b.lanewise(ASHR, 16));
      high.reinterpretAsShorts().intoArray(products, (2 * p + 1) * ROWS);
    }
  }

  /** {@code sums += d · products} of some blocks. */
  private static void add(Job job, long at, int block, int count) {
    for (int b = 0; b < count; b++) {
      int p = BODY * b * ROWS;
      float x = job.side.numbers[job.numbersAt + 2 * (block + b)];
      IntVector both = IntVector.fromMemorySegment(I, job.w, at + b * LINE, LE);
      IntVector half = both.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF);
      add(job.products, p, half.reinterpretAsFloats().mul(HALF_BIAS).mul(x), job.sums, 0);
      half = both.lanewise(ASHR, 3).and(HALF);
      add(job.products, p + ROWS, half.reinterpretAsFloats().mul(HALF_BIAS).mul(x), job.sums, N);
    }
  }

  private static void add(short[] products, int p, FloatVector scale, float[] sums, int to) {
    ShortVector part = ShortVector.fromArray(SHORTS, products, p);
    IntVector even = part.reinterpretAsInts();
    part = ShortVector.fromArray(SHORTS, products, p + 2 * ROWS);
    IntVector odd = part.reinterpretAsInts();
    for (int i = 2; i < BODY / 2; i += 2) {
      part = ShortVector.fromArray(SHORTS, products, p + 2 * i * ROWS);
      even = even.add(part.reinterpretAsInts());
      part = ShortVector.fromArray(SHORTS, products, p + (2 * i + 2) * ROWS);
      odd = odd.add(part.reinterpretAsInts());
    }
    FloatVector value = (FloatVector) even.add(odd).convertShape(I2F, F, 0);
    value.fma(scale, FloatVector.fromArray(F, sums, to)).intoArray(sums, to);
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
