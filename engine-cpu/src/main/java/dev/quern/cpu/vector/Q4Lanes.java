package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.LINE;
import static dev.quern.cpu.vector.LaneMath.words;
import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;
import static jdk.incubator.vector.VectorOperators.ASHR;
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
 * Q4_0: four words of nibbles a block. With the offset of 8 taken off, 32 products that meet the
 * two shorts of a lane fit one short.
 */
final class Q4Lanes implements RowLanes {
  private static final Interleave LAYOUT = new Interleave(WeightFormats.Q4_0, N, 0);

  @Override
  public Interleave layout() {
    return LAYOUT;
  }

  @Override
  public Side.Form form() {
    return Side.Form.PLUS_8;
  }

  @Override
  public void run(Job job) {
    for (int n = 0; n < job.rows; n += N) {
      group(job, job.wAt + n / N * job.rowBytes, n);
    }
  }

  private static void group(Job job, long group, int n) {
    long at = group + LAYOUT.headBytes(job.k);
    int blocks = job.k / 32;
    Arrays.fill(job.sums, 0, N, 0);
    for (int block = 0; block < blocks; block += 16) {
      int count = Math.min(16, blocks - block);
      int xAt = job.quantisedAt + 16 * block;
      products(job.w, at, job.line, job.side, xAt, job.startsAt + block, count, job.parts);
      long head = group + LINE * (block / 2);
      int number = job.numbersAt + 2 * block;
      LaneMath.add(job.w, head, count, job.parts, job.side.numbers, number, job.sums);
      at += 4 * LINE * count;
    }
    job.store(n, N);
  }

  /** The products of some blocks. */
  private static void products(
      MemorySegment w,
      long place,
      int line,
      Side side,
      int xAt,
      int start,
      int count,
      int[] parts) {
    int[] x = side.pairs;
    for (int block = 0; block < count; block++) {
      int first = xAt + 16 * block;
      ShortVector sum = IntVector.broadcast(I, side.starts[start + block]).reinterpretAsShorts();
      for (int pair = first; pair < first + 8; pair += 2) {
        ShortVector q = IntVector.fromMemorySegment(I, w, place, LE).reinterpretAsShorts();
        place += line;
        ShortVector x0 = IntVector.broadcast(I, x[pair]).reinterpretAsShorts();
        ShortVector x1 = IntVector.broadcast(I, x[pair + 1]).reinterpretAsShorts();
        ShortVector y0 = IntVector.broadcast(I, x[pair + 8]).reinterpretAsShorts();
        ShortVector y1 = IntVector.broadcast(I, x[pair + 9]).reinterpretAsShorts();
        sum = sum.add(q.and((short) 15).mul(x0));
        q = q.lanewise(LSHR, 4);
        sum = sum.add(q.and((short) 15).mul(y0));
        q = q.lanewise(LSHR, 4);
        sum = sum.add(q.and((short) 15).mul(x1));
        sum = sum.add(q.lanewise(LSHR, 4).mul(y1));
      }
      IntVector both = sum.reinterpretAsInts();
      both.add(both.lanewise(LSHL, 16)).lanewise(ASHR, 16).intoArray(parts, block * N);
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
    for (int block = 0; block < count / 32; block++) {
      int number = column / 32 + block;
      long at = group + LAYOUT.headBytes(k) + 4 * LINE * number;
      FloatVector d = LaneMath.scale(w, group, number);
      FloatVector offset = d.mul(-8);
      long first = to + 32L * block * stride;
      for (int i = 0; i < 4; i++) {
        IntVector word = words(w, at + LINE * i);
        LaneMath.nibbles(word, d, offset, tile, first + 4L * i * stride, stride);
        word = word.lanewise(LSHR, 4);
        LaneMath.nibbles(word, d, offset, tile, first + (16L + 4L * i) * stride, stride);
      }
    }
  }
}
