package dev.quern.testkit;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.util.ArrayList;
import java.util.List;

/** Operations on whole rows: normalisation, softmax, selection, look-up. */
final class RowCases {
  private static final int[] LENGTHS = {1, 2, 7, 63, 64, 65, 255, 256, 257, 1031};

  private RowCases() {}

  static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    cases.add(new Case("rms-norm", RowCases::rmsNorm));
    cases.add(new Case("rms-norm of heads", RowCases::rmsNormOfHeads));
    cases.add(new Case("softmax", RowCases::softmax));
    cases.add(new Case("arg-max", RowCases::argMax));
    cases.add(new Case("arg-max ties", RowCases::argMaxTies));
    cases.add(new Case("top-k", RowCases::topK));
    cases.add(new Case("top-k ties", RowCases::topKTies));
    cases.add(new Case("gather-rows", RowCases::gatherRows));
    cases.add(new Case("rows live", RowCases::liveRows));
    for (WeightFormat format : WeightFormats.weights()) {
      cases.add(new Case("embed " + format.name(), scene -> embed(scene, format)));
    }
    return cases;
  }

  private static void rmsNorm(Scene scene) {
    for (int length : LENGTHS) {
      Tensor x = scene.input("x" + length, null, 3, length);
      Tensor weight = scene.constant("w" + length, Content.between(0.5, 2), length);
      scene.output("y" + length, scene.batch().rmsNorm(x, weight, 1e-5f), Tolerance.NORM);
    }
    Tensor small = scene.input("small", null, Content.scaled(1e-4, 1), 2, 96);
    Tensor weight = scene.constant("w", Content.between(0.5, 2), 96);
    scene.output("epsilon", scene.batch().rmsNorm(small, weight, 1e-6f), Tolerance.NORM);
  }

  private static void rmsNormOfHeads(Scene scene) {
    Slot.Count live = scene.live("rows", 5, 5, 2);
    Tensor x = scene.input("x", live, 5, 3, 64);
    Tensor weight = scene.constant("w", Content.between(0.5, 2), 64);
    scene.output("y", scene.batch().rmsNorm(x, weight, 1e-6f), Tolerance.NORM);
  }

  private static void softmax(Scene scene) {
    for (int length : LENGTHS) {
      Tensor x = scene.input("x" + length, null, Content.outliers(), 3, length);
      if (length == 1) {
        scene.batch().softmax(x); // the result is all ones, which proves nothing
      } else {
        scene.output("y" + length, scene.batch().softmax(x), Tolerance.SOFTMAX);
      }
    }
    Tensor high = scene.input("high", null, Content.between(9000, 9010), 2, 65);
    scene.output("shifted", scene.batch().softmax(high), Tolerance.SOFTMAX);
    Tensor heads = scene.input("heads", null, Content.outliers(), 2, 3, 33);
    scene.output("of heads", scene.batch().softmax(heads), Tolerance.SOFTMAX);
  }

  private static void argMax(Scene scene) {
    scene.submits(2);
    for (int length : LENGTHS) {
      Tensor x = scene.input("x" + length, null, 3, length);
      scene.output("y" + length, scene.batch().argMax(x), Tolerance.BITS);
    }
    Tensor large = scene.input("large", null, 1, 70_001);
    scene.output("vocabulary", scene.batch().argMax(large), Tolerance.BITS);
    Tensor negative = scene.input("negative", null, Content.between(-9, -8), 5, 300);
    scene.output("of negative", scene.batch().argMax(negative), Tolerance.BITS);
  }

  /** Of equal elements the first, wherever the others are. */
  private static void argMaxTies(Scene scene) {
    Content steps = (i, submit, random) -> random.nextInt(3);
    Tensor few = scene.input("few", null, steps, 33, 67);
    scene.output("of few", scene.batch().argMax(few), Tolerance.BITS);
    Tensor many = scene.input("many", null, steps, 3, 5003);
    scene.output("of many", scene.batch().argMax(many), Tolerance.BITS);
    Tensor same = scene.input("same", null, Content.of(4), 2, 513);
    scene.output("of same", scene.batch().argMax(same), Tolerance.BITS);
    Content late = (i, submit, random) -> i % 2000 == 777 || i % 2000 == 1900 ? 5 : i % 5;
    Tensor pair = scene.input("pair", null, late, 2, 2000);
    scene.output("of pair", scene.batch().argMax(pair), Tolerance.BITS);
  }

  private static void topK(Scene scene) {
    largest(scene, 3, 2, 1);
    largest(scene, 3, 7, 7);
    largest(scene, 5, 64, 8);
    largest(scene, 33, 61, 4);
    largest(scene, 2, 2048, 40);
    largest(scene, 1, 5003, 64);
  }

  private static void largest(Scene scene, int rows, int length, int k) {
    String at = rows + "x" + length;
    Tensor x = scene.input("x" + at, null, rows, length);
    BatchRecorder.Largest largest = scene.batch().topK(x, k);
    scene.output("values" + at, largest.values(), Tolerance.BITS);
    scene.output("ids" + at, largest.ids(), Tolerance.BITS);
  }

  private static void topKTies(Scene scene) {
    Content steps = (i, submit, random) -> random.nextInt(1000) == 0 ? 9 : random.nextInt(4);
    for (int length : new int[] {11, 128, 3001}) {
      Tensor x = scene.input("x" + length, null, steps, 3, length);
      BatchRecorder.Largest largest = scene.batch().topK(x, 11);
      scene.output("ids" + length, largest.ids(), Tolerance.BITS);
    }
  }

  private static void gatherRows(Scene scene) {
    for (int length : LENGTHS) {
      Tensor x = scene.input("x" + length, null, 7, length);
      Tensor rows = scene.indices("rows" + length, null, 4, Content.of(6, 0, 6, 3));
      scene.output("y" + length, scene.batch().gatherRows(x, rows), Tolerance.BITS);
    }
    Slot.Count live = scene.live("rows", 9, 9, 5);
    Slot.Count selected = scene.live("selected", 3, 2, 0);
    Tensor x = scene.input("x", live, 9, 40);
    Tensor rows = scene.indices("which", selected, 3, Content.of(4, 1, 0));
    scene.output("selected", scene.batch().gatherRows(x, rows), Tolerance.BITS);
  }

  private static void liveRows(Scene scene) {
    Slot.Count live = scene.live("rows", 6, 6, 0, 1, 5);
    Tensor x = scene.input("x", live, 6, 67);
    Tensor weight = scene.constant("w", Content.between(0.5, 2), 67);
    BatchRecorder batch = scene.batch();
    scene.output("norm", batch.rmsNorm(x, weight, 1e-5f), Tolerance.NORM);
    scene.output("softmax", batch.softmax(x), Tolerance.SOFTMAX);
    scene.output("argMax", batch.argMax(x), Tolerance.BITS);
    BatchRecorder.Largest largest = batch.topK(x, 3);
    scene.output("values", largest.values(), Tolerance.BITS);
    scene.output("ids", largest.ids(), Tolerance.BITS);
    Tensor table = scene.weight("table", WeightFormats.F32, 11, 67);
    Tensor tokens = scene.indices("tokens", live, 6, (i, submit, random) -> random.nextInt(11));
    scene.output("embed", batch.embed(tokens, table), Tolerance.BITS);
  }

  private static void embed(Scene scene, WeightFormat format) {
    scene.submits(2);
    int block = format.blockElements();
    for (int length : block == 1 ? new int[] {1, 67, 256} : new int[] {block, 3 * block}) {
      Tensor table = scene.weight("table" + length, format, 61, length);
      Tensor tokens =
          scene.indices(
              "tokens" + length,
              null,
              7,
              (i, submit, random) -> i < 2 ? 60 * i : random.nextInt(61));
      scene.output("y" + length, scene.batch().embed(tokens, table), Tolerance.EMBED);
    }
  }
}
