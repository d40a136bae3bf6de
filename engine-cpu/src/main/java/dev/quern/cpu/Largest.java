package dev.quern.cpu;

import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;

/**
 * The k largest elements in order, the lower index first where two are equal. The results so far
 * are kept sorted in place; for k far below n few elements pass the smallest of them, so that most
 * blocks are left after a look at their largest element.
 */
final class Largest {
  private static final int BLOCK = 512;

  private Largest() {}

  /** The index of the largest of n elements, the lowest if there are several. */
  static int index(RowMath math, MemorySegment x, long xAt, int n) {
    float max = Float.NEGATIVE_INFINITY;
    int block = 0;
    for (int i = 0; i < n; i += BLOCK) {
      float largest = math.max(x, xAt + 4L * i, Math.min(BLOCK, n - i));
      if (largest > max) {
        max = largest;
        block = i;
      }
    }
    for (int i = block; i < n; i++) {
      if (x.get(RowMath.F32, xAt + 4L * i) == max) {
        return i;
      }
    }
    return n - 1;
  }

  static void of(
      RowMath math,
      MemorySegment x,
      long xAt,
      int n,
      MemorySegment values,
      long valuesAt,
      MemorySegment ids,
      long idsAt,
      int k) {
    int kept = 0;
    float least = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      if (i % BLOCK == 0 && kept == k) {
        int count = Math.min(BLOCK, n - i);
        if (math.max(x, xAt + 4L * i, count) <= least) {
          i += count - 1;
          continue;
        }
      }
      float value = x.get(RowMath.F32, xAt + 4L * i);
      if (kept == k && !(value > least)) {
        continue;
      }
      int at = kept == k ? k - 1 : kept++;
      while (at > 0 && value > values.get(RowMath.F32, valuesAt + 4L * (at - 1))) {
        values.set(
            RowMath.F32, valuesAt + 4L * at, values.get(RowMath.F32, valuesAt + 4L * (at - 1)));
        ids.set(RowMath.I32, idsAt + 4L * at, ids.get(RowMath.I32, idsAt + 4L * (at - 1)));
        at--;
      }
      values.set(RowMath.F32, valuesAt + 4L * at, value);
      ids.set(RowMath.I32, idsAt + 4L * at, i);
      least = values.get(RowMath.F32, valuesAt + 4L * (kept - 1));
    }
  }
}
