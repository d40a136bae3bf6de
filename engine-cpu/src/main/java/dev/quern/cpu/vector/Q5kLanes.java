package dev.quern.cpu.vector;

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
 * Q5_K: for every sixteen numbers five lines, each of three of them and a bit of the last; then the
 * scales as in {@link Q4kLanes}.
 */
final class Q5kLanes extends GroupLanes {
  private static final int HEAD = 10;
  private static final int BODY = 80;
  private static final int CHUNK = 1;
  private static final Interleave LAYOUT =
      new Interleave(WeightFormats.Q5_K, ROWS, HEAD, BODY, CHUNK, Q5kLanes::take);

  Q5kLanes() {
    super(LAYOUT, Side.Form.FIVES);
  }

  private static void take(MemorySegment w, long at, short[] shorts) {
    Q4kLanes.head(w, at, shorts);
    for (int i = 0; i < 16; i++) { // sixteen numbers at a time
      long first = fives(w, at, i / 2, 16 * (i % 2));
      long second = fives(w, at, i / 2, 16 * (i % 2) + 8);
      long low = first | (second << 40); // the first twelve
      for (int s = 0; s < 5; s++) {
        long three = s < 4 ? low >>> (15 * s) : second >>> 20;
        long last = second >>> (35 + s) & 1;
        shorts[HEAD + 5 * i + s] = (short) ((three & 0x7FFF) | (last << 15));
      }
    }
  }

  /** Eight numbers of part {@code j} from number {@code first} on, five bits each. */
  private static long fives(MemorySegment w, long at, int j, int first) {
    long low = Words.int64(w, at + 48 + 32L * (j / 2) + first) >>> (4 * (j % 2));
    long bits = Words.int64(w, at + 16 + first) >>> j;
    long bytes = (low & 0x0F0F0F0F_0F0F0F0FL) | ((bits & 0x01010101_01010101L) << 4);
    return Long.compress(bytes, 0x1F1F1F1F_1F1F1F1FL);
  }

  @Override
  void add(Job job, int group, int block, int count) {
    parts(job, group, job.startsAt + 24 * block);
    Q4kLanes.scaled(job, group, job.numbersAt + 16 * block, -16);
  }

  /** The products of the eight parts of a block, of the lower rows, then of the upper ones. */
  private static void parts(Job job, int group, int start) {
    short[] products = job.products;
    short[] starts = job.side.starts;
    for (int j = 0; j < 8; j++) {
      int p = 10 * j * STEP + group * ROWS;
      ShortVector sum = ShortVector.broadcast(SHORTS, starts[start + 3 * j]);
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 2 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 3 * STEP));
      IntVector a = sum.reinterpretAsInts();
      sum = ShortVector.broadcast(SHORTS, starts[start + 3 * j + 1]);
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 4 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 5 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 6 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 7 * STEP));
      IntVector b = sum.reinterpretAsInts();
      sum = ShortVector.broadcast(SHORTS, starts[start + 3 * j + 2]);
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 8 * STEP));
      sum = sum.add(ShortVector.fromArray(SHORTS, products, p + 9 * STEP));
      IntVector c = sum.reinterpretAsInts();
      IntVector part = a.lanewise(LSHL, 16).lanewise(ASHR, 16);
      part = part.add(b.lanewise(LSHL, 16).lanewise(ASHR, 16));
      part = part.add(c.lanewise(LSHL, 16).lanewise(ASHR, 16));
      part.intoArray(job.parts, 2 * j * N);
      part = a.lanewise(ASHR, 16).add(b.lanewise(ASHR, 16)).add(c.lanewise(ASHR, 16));
      part.intoArray(job.parts, (2 * j + 1) * N);
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
    int block = column / 256;
    Q4kLanes.factors(w, group + LAYOUT.headAt(k, block), factors);
    long at = group + LAYOUT.bodyAt(block);
    for (int i = 0; i < 16; i++) {
      int factor = 4 * N * (i / 2);
      long line = at + 5L * i * LINE;
      long first = to + 16L * i * stride;
      sixteen(w, line, 0, factors, factor, tile, first, stride);
      sixteen(w, line, 16, factors, factor + N, tile, first + 4L * N, stride);
    }
  }

  /** Sixteen columns of the rows of one half of the lanes. */
  private static void sixteen(
      MemorySegment w,
      long at,
      int shift,
      float[] factors,
      int factor,
      MemorySegment tile,
      long to,
      long stride) {
    FloatVector scale = FloatVector.fromArray(F, factors, factor);
    FloatVector offset = FloatVector.fromArray(F, factors, factor + 2 * N);
    IntVector last = IntVector.zero(I);
    for (int s = 0; s < 5; s++) {
      IntVector q = IntVector.fromMemorySegment(I, w, at, LE).lanewise(LSHR, shift);
      at += LINE;
      for (int b = 0; b < 3; b++) {
        FloatVector value = (FloatVector) q.and(31).convertShape(I2F, F, 0);
        value.fma(scale, offset).intoMemorySegment(tile, to, LE);
        q = q.lanewise(LSHR, 5);
        to += stride;
      }
      last = last.or(q.and(1).lanewise(LSHL, s));
    }
    FloatVector value = (FloatVector) last.convertShape(I2F, F, 0);
    value.fma(scale, offset).intoMemorySegment(tile, to, LE);
  }
}
