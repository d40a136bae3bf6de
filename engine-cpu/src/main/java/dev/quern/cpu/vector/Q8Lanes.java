package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.LINE;
import static dev.quern.cpu.vector.LaneMath.words;
import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.toFloat;
import static jdk.incubator.vector.VectorOperators.ASHR;
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

/** Q8_0: eight words of four bytes a block. Two products of int8 fit a short. */
final class Q8Lanes implements RowLanes {
  private static final Interleave LAYOUT = new Interleave(WeightFormats.Q8_0, N, 0);

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

  private static void group(Job job, long group, int n) {
    long at = group + LAYOUT.headBytes(job.k);
    int blocks = job.k / 32;
    Arrays.fill(job.sums, 0, N, 0);
    for (int block = 0; block < blocks; block += 16) {
      int count = Math.min(16, blocks - block);
      int xAt = job.quantisedAt + 16 * block;
      products(job.w, at, job.line, job.side.pairs, xAt, count, job.parts);
      long head = group + LINE * (block / 2);
      int number = job.numbersAt + 2 * block;
      LaneMath.add(job.w, head, count, job.parts, job.side.numbers, number, job.sums);
      at += 8 * LINE * count;
    }
    job.store(n, N);
  }

  /** The products of some blocks. */
  private static void products(
      MemorySegment w, long place, int line, int[] x, int xAt, int count, int[] parts) {
    for (int block = 0; block < count; block++) {
      int first = xAt + 16 * block;
      IntVector sum = IntVector.zero(I);
      for (int pair = first; pair < first + 16; pair += 2) {
        ShortVector q = IntVector.fromMemorySegment(I, w, place, LE).reinterpretAsShorts();
        place += line;
        ShortVector x0 = IntVector.broadcast(I, x[pair]).reinterpretAsShorts();
        ShortVector x1 = IntVector.broadcast(I, x[pair + 1]).reinterpretAsShorts();
        ShortVector even = q.lanewise(LSHL, 8).lanewise(ASHR, 8).mul(x0);
        IntVector both = even.add(q.lanewise(ASHR, 8).mul(x1)).reinterpretAsInts();
        sum = sum.add(both.lanewise(LSHL, 16).lanewise(ASHR, 16));
        sum = sum.add(both.lanewise(ASHR, 16));
      }
      sum.intoArray(parts, block * N);
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
      long at = group + LAYOUT.headBytes(k) + 8 * LINE * number;
      FloatVector d = LaneMath.scale(w, group, number);
      long first = to + 32L * block * stride;
      for (int i = 0; i < 8; i++) {
        bytes(words(w, at + LINE * i), d, tile, first + 4L * i * stride, stride);
      }
    }
  }

  private static void bytes(
      IntVector word, FloatVector d, MemorySegment tile, long to, long stride) {
    for (int b = 0; b < 4; b++) {
      IntVector q = word.lanewise(LSHL, 24 - 8 * b).lanewise(ASHR, 24);
      Lanes.store(toFloat(q).mul(d), tile, to + b * stride);
    }
  }
}
