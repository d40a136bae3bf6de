package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Transposes N by N words of four bytes: in the step of distance s, lanes of a and b whose number
 * has bit s set and unset change places. Two steps at a time, on four rows in registers.
 */
final class Transpose {
  private static final VectorShuffle<Integer> SWAP_8 = swap(8);
  private static final VectorShuffle<Integer> SWAP_4 = swap(4);
  private static final VectorShuffle<Integer> SWAP_2 = swap(2);
  private static final VectorShuffle<Integer> SWAP_1 = swap(1);
  private static final VectorMask<Integer> BIT_8 = bit(8);
  private static final VectorMask<Integer> BIT_4 = bit(4);
  private static final VectorMask<Integer> BIT_2 = bit(2);
  private static final VectorMask<Integer> BIT_1 = bit(1);

  private Transpose() {}

  /**
   * {@code words[N · i + j] = w[j, i]}. The words of a square lie together, so that each pass is
   * one long loop, or four.
   *
   * @param w words
   * @param at where the first row starts
   * @param stride bytes from one row to the next
   * @param last number of the last of N rows; it stands for those beyond it
   * @param squares N words of each row to a square
   * @param words receives them
   */
  static void squares(MemorySegment w, long at, long stride, int last, int squares, int[] words) {
    for (int i = 0; i < 4; i++) {
      long a = at + Math.min(i, last) * stride;
      long b = at + Math.min(i + 4, last) * stride;
      if (N == 16) {
        long c = at + Math.min(i + 8, last) * stride;
        long d = at + Math.min(i + 12, last) * stride;
        eightAndFour(w, a, b, c, d, squares, words, N * i);
      } else if (N == 8) {
        four(w, a, b, squares, words, N * i);
      } else {
        copy(w, a, squares, words, N * i);
      }
    }
    twoAndOne(words, squares * N * N);
  }

  private static void eightAndFour(
      MemorySegment w, long a, long b, long c, long d, int squares, int[] words, int to) {
    MemorySegment from = Lanes.offHeap(w);
    for (int s = 0; s < squares; s++) {
      long at = 4L * N * s;
      IntVector wa = IntVector.fromMemorySegment(I, from, a + at, LE);
      IntVector wb = IntVector.fromMemorySegment(I, from, b + at, LE);
      IntVector wc = IntVector.fromMemorySegment(I, from, c + at, LE);
      IntVector wd = IntVector.fromMemorySegment(I, from, d + at, LE);
      IntVector ac = wa.blend(wc.rearrange(SWAP_8), BIT_8);
      IntVector bd = wb.blend(wd.rearrange(SWAP_8), BIT_8);
      IntVector ca = wa.rearrange(SWAP_8).blend(wc, BIT_8);
      IntVector db = wb.rearrange(SWAP_8).blend(wd, BIT_8);
      int i = to + N * N * s;
      ac.blend(bd.rearrange(SWAP_4), BIT_4).intoArray(words, i);
      ac.rearrange(SWAP_4).blend(bd, BIT_4).intoArray(words, i + 4 * N);
      ca.blend(db.rearrange(SWAP_4), BIT_4).intoArray(words, i + 8 * N);
      ca.rearrange(SWAP_4).blend(db, BIT_4).intoArray(words, i + 12 * N);
    }
  }

  private static void four(MemorySegment w, long a, long b, int squares, int[] words, int to) {
    MemorySegment from = Lanes.offHeap(w);
    for (int s = 0; s < squares; s++) {
      IntVector wa = IntVector.fromMemorySegment(I, from, a + 4L * N * s, LE);
      IntVector wb = IntVector.fromMemorySegment(I, from, b + 4L * N * s, LE);
      int i = to + N * N * s;
      wa.blend(wb.rearrange(SWAP_4), BIT_4).intoArray(words, i);
      wa.rearrange(SWAP_4).blend(wb, BIT_4).intoArray(words, i + 4 * N);
    }
  }

  private static void copy(MemorySegment w, long a, int squares, int[] words, int to) {
    MemorySegment from = Lanes.offHeap(w);
    for (int s = 0; s < squares; s++) {
      IntVector wa = IntVector.fromMemorySegment(I, from, a + 4L * N * s, LE);
      wa.intoArray(words, to + N * N * s);
    }
  }

  private static void twoAndOne(int[] words, int count) {
    for (int i = 0; i < count; i += 4 * N) {
      IntVector a = IntVector.fromArray(I, words, i);
      IntVector b = IntVector.fromArray(I, words, i + N);
      IntVector c = IntVector.fromArray(I, words, i + 2 * N);
      IntVector d = IntVector.fromArray(I, words, i + 3 * N);
      IntVector ac = a.blend(c.rearrange(SWAP_2), BIT_2);
      IntVector bd = b.blend(d.rearrange(SWAP_2), BIT_2);
      IntVector ca = a.rearrange(SWAP_2).blend(c, BIT_2);
      IntVector db = b.rearrange(SWAP_2).blend(d, BIT_2);
      ac.blend(bd.rearrange(SWAP_1), BIT_1).intoArray(words, i);
      ac.rearrange(SWAP_1).blend(bd, BIT_1).intoArray(words, i + N);
      ca.blend(db.rearrange(SWAP_1), BIT_1).intoArray(words, i + 2 * N);
      ca.rearrange(SWAP_1).blend(db, BIT_1).intoArray(words, i + 3 * N);
    }
  }

  private static VectorShuffle<Integer> swap(int distance) {
    return VectorShuffle.fromOp(I, i -> (i ^ distance) % N);
  }

  private static VectorMask<Integer> bit(int distance) {
    boolean[] set = new boolean[N];
    for (int i = 0; i < N; i++) {
      set[i] = (i & distance) != 0;
    }
    return VectorMask.fromArray(I, set, 0);
  }
}
