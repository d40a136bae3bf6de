package dev.quern.testkit;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Precision;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Projection;
import java.util.ArrayList;
import java.util.List;

/** Projections by weights of every format. */
final class ProjectionCases {
  /** Rows around the tiles of kernels: 1, primes, one below and above powers of two. */
  private static final int[] ROWS = {1, 2, 3, 5, 7, 8, 17, 33};

  /** Row capacities around the tiles of tensor cores, for weights of whole tiles. */
  private static final int[] PROMPTS = {3, 33, 129};

  /** More of them, which cut the rows in other ways whatever the format: for one format. */
  private static final int[] MORE_PROMPTS = {12, 27, 64, 512};

  private ProjectionCases() {}

  static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    for (WeightFormat format : WeightFormats.weights()) {
      for (int rows : ROWS) {
        cases.add(new Case(format.name() + " rows " + rows, scene -> shapes(scene, format, rows)));
      }
      cases.add(new Case(format.name() + " large", scene -> large(scene, format)));
      for (int rows : PROMPTS) {
        cases.add(promptCase(format, rows));
      }
      cases.add(new Case(format.name() + " live rows", scene -> liveRows(scene, format)));
      cases.add(new Case(format.name() + " outliers", scene -> outliers(scene, format)));
      cases.add(new Case(format.name() + " weight rows", scene -> weightRows(scene, format)));
      cases.add(new Case(format.name() + " in place", scene -> inPlace(scene, format)));
    }
    for (int rows : MORE_PROMPTS) {
      cases.add(promptCase(WeightFormats.Q4_K, rows));
    }
    return cases;
  }

  private static Case promptCase(WeightFormat format, int rows) {
    return new Case(format.name() + " prompt of " + rows, scene -> prompt(scene, format, rows));
  }

  /** One product for each of several odd shapes. */
  private static void shapes(Scene scene, WeightFormat format, int rows) {
    int block = format.blockElements();
    product(scene, format, rows, 1, block);
    // the bound of int8 is statistical: three products in a row may exceed it
    boolean few = block == 1 && scene.precision() == Precision.FAST;
    product(scene, format, rows, 7, few ? 33 : 3 * block);
    product(scene, format, rows, 61, block == 1 ? 255 : 2 * block);
    product(scene, format, rows, rows > 8 ? 67 : 257, block == 1 ? 257 : 512);
    if (block == 1) {
      product(scene, format, rows, 5, 31);
      product(scene, format, rows, 16, 64);
    } else if (block < 256) {
      product(scene, format, rows, 5, 7 * block);
      product(scene, format, rows, 16, 256 + block);
    }
  }

  private static void product(Scene scene, WeightFormat format, int rows, int n, int k) {
    String at = n + "x" + k;
    Tensor x = scene.input("x" + at, null, rows, k);
    Tensor w = scene.weight("w" + at, format, n, k);
    scene.output("y" + at, scene.batch().matmul(x, w), Tolerance.DOT);
  }

  /** Long sums, many outputs, and rows as in a prompt: beyond one work-group or tile each. */
  private static void large(Scene scene, WeightFormat format) {
    int block = format.blockElements();
    product(scene, format, 2, 5, 8192 + block);
    product(scene, format, 1, 2053, Math.max(block, 64));
    Slot.Count live = scene.live("rows", 130, 130, 97);
    int k = 2 * Math.max(block, 64);
    Tensor x = scene.input("prompt", live, 130, k);
    Tensor w = scene.weight("w", format, 67, k);
    scene.output("y", scene.batch().matmul(x, w), Tolerance.DOT);
  }

  /** Weights in whole tiles of 32 by 256, some of them a tail for tiles of 64 or 128 rows. */
  private static void prompt(Scene scene, WeightFormat format, int rows) {
    Slot.Count live = scene.live("rows", rows, rows, rows / 2 + 1);
    Tensor x = scene.input("x", live, rows, 512);
    Tensor w = scene.weight("w", format, rows > 128 ? 96 : 160, 512);
    scene.output("low", scene.batch().matmul(x, w.rows(0, 64)), Tolerance.DOT);
    scene.output("all", scene.batch().matmul(x, w), Tolerance.DOT);
  }

  /** Capacity 9; dead rows are not written, whatever the number of live ones. */
  private static void liveRows(Scene scene, WeightFormat format) {
    Slot.Count live = scene.live("rows", 9, 9, 0, 1, 8, 5);
    int k = 2 * Math.max(32, format.blockElements());
    Tensor x = scene.input("x", live, 9, k);
    Tensor w = scene.weight("w", format, 61, k);
    scene.output("y", scene.batch().matmul(x, w), Tolerance.DOT);
  }

  /** Outliers that take most of an int8 range. */
  private static void outliers(Scene scene, WeightFormat format) {
    int k = 3 * Math.max(64, format.blockElements());
    Tensor x = scene.input("x", null, Content.outliers(), 3, k);
    Tensor w = scene.weight("w", format, 61, k);
    scene.output("y", scene.batch().matmul(x, w), Tolerance.OUTLIERS);
  }

  /** Two products with views of the rows of one weight. */
  private static void weightRows(Scene scene, WeightFormat format) {
    int k = 2 * Math.max(32, format.blockElements());
    Tensor x = scene.input("x", null, 2, k);
    Tensor w = scene.weight("w", format, 131, k);
    scene.output("low", scene.batch().matmul(x, w.rows(0, 64)), Tolerance.DOT);
    scene.output("high", scene.batch().matmul(x, w.rows(67, 61)), Tolerance.DOT);
  }

  /** From and into persistent buffers at offsets that are multiples of 4 only. */
  private static void inPlace(Scene scene, WeightFormat format) {
    int k = 2 * Math.max(32, format.blockElements());
    Tensor x =
        scene.persistent("x", WeightFormats.F32, 4, scene.activations(), Tolerance.BITS, 3, k);
    Tensor w = scene.weight("w", format, 29, k);
    Tensor y =
        scene.persistent(
            "y", WeightFormats.F32, 20, Content.between(900, 901), Tolerance.DOT, 3, 29);
    BatchRecorder batch = scene.batch();
    batch.add(Projection.of(x, w, y));
  }
}
