package dev.quern.cpu.vector;

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
 * Q5_K: as {@link Q4kLanes}, with eight words of fifth bits before the nibbles. With 16 taken off,
 * the 16 products of a part that a short meets fit it; the scales then meet {@code 16 · Σx} too.
 */
final class Q5kLanes implements RowLanes {
  private static final Interleave LAYOUT = new Interleave(WeightFormats.Q5_K, N, -1);

  @Override
  public Interleave layout() {
    return LAYOUT;
  }

  @Override
  public Side.Form form() {
    return Side.Form.PLUS_16;
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
      int xAt = job.quantisedAt + 128 * block;
      products(job.w, at + 4 * LINE, job.line, job.side, xAt, job.startsAt + 8 * block, job.parts);
      Q4kLanes.add(job.w, at, job.parts, job.side.numbers, job.numbersAt + 16 * block, job.sums);
      at += 44 * LINE;
    }
    job.store(n, N);
  }

  /** The products of the eight parts of a block. */
  private static void products(
      MemorySegment w, long at, int line, Side side, int xAt, int start, int[] parts) {
    int[] x = side.pairs;
    for (int j = 0; j < 8; j++) {
      int sumOfX = side.starts[start + j];
      ShortVector sum = IntVector.broadcast(I, sumOfX).reinterpretAsShorts();
      long bits = at;
      long place = at + LINE * (8 + 8 * (j / 2));
      int first = xAt + 16 * j;
      int shift = 4 * (j % 2);
      for (int pair = first; pair < first + 16; pair += 2) {
        ShortVector bit = IntVector.fromMemorySegment(I, w, bits, LE).reinterpretAsShorts();
        ShortVector q = IntVector.fromMemorySegment(I, w, place, LE).reinterpretAsShorts();
        place += line;
        bits += line;
        bit = bit.lanewise(LSHR, j).and((short) 0x0101).lanewise(LSHL, 4);
        q = q.lanewise(LSHR, shift).and((short) 0x0F0F).or(bit);
        ShortVector x0 = IntVector.broadcast(I, x[pair]).reinterpretAsShorts();
        ShortVector x1 = IntVector.broadcast(I, x[pair + 1]).reinterpretAsShorts();
        sum = sum.add(q.and((short) 255).mul(x0));
        sum = sum.add(q.lanewise(LSHR, 8).mul(x1));
      }
      int back = -((short) sumOfX + (sumOfX >> 16));
      IntVector both = sum.reinterpretAsInts();
      both = both.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both.lanewise(ASHR, 16));
      both.add(back).intoArray(parts, j * N);
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
    long at = group + 44 * LINE * (column / 256);
    Q4kLanes.factors(w, at, factors);
    for (int j = 0; j < count / 32; j++) {
      part(w, at, j, factors, tile, to + 32L * j * stride, stride);
    }
  }

  private static void part(
      MemorySegment w,
      long block,
      int j,
      float[] factors,
      MemorySegment tile,
      long to,
      long stride) {
    FloatVector scale = FloatVector.fromArray(F, factors, j * N);
    FloatVector offset = FloatVector.fromArray(F, factors, (8 + j) * N);
    long at = block + LINE * (12 + 8 * (j / 2));
    long bits = block + 4 * LINE;
    for (int i = 0; i < 8; i++) {
      IntVector bit = IntVector.fromMemorySegment(I, w, bits, LE).lanewise(LSHR, j);
      IntVector q = IntVector.fromMemorySegment(I, w, at, LE).lanewise(LSHR, 4 * (j % 2));
      q = q.and(0x0F0F0F0F).or(bit.and(0x01010101).lanewise(LSHL, 4));
      at += LINE;
      bits += LINE;
      for (int b = 0; b < 4; b++) {
        FloatVector value = (FloatVector) q.and(255).convertShape(I2F, F, 0);
        value.fma(scale, offset).intoMemorySegment(tile, to, LE);
        q = q.lanewise(LSHR, 8);
        to += stride;
      }
    }
  }
}
