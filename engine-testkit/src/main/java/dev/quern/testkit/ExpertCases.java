package dev.quern.testkit;

import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.util.ArrayList;
import java.util.List;

/** Products with chosen experts, and their weighted sums. */
final class ExpertCases {
  private ExpertCases() {}

  static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    for (WeightFormat format : WeightFormats.weights()) {
      cases.add(new Case("experts " + format.name(), scene -> experts(scene, format)));
    }
    cases.add(new Case("expert-sum", ExpertCases::sum));
    return cases;
  }

  /** Shared input and one input for each chosen expert; some experts are never chosen. */
  private static void experts(Scene scene, WeightFormat format) {
    Slot.Count live = scene.live("rows", 7, 7, 0, 1, 4);
    int block = format.blockElements();
    product(scene, format, live, 29, block == 1 ? 67 : 2 * block, 3);
    product(scene, format, live, 1, Math.max(block, 32), 1);
  }

  private static void product(
      Scene scene, WeightFormat format, Slot.Count live, int n, int k, int used) {
    int experts = 5;
    String at = n + "x" + k;
    Tensor w = scene.weight("w" + at, format, experts, n, k);
    Tensor ids =
        scene.input(
            "ids" + at,
            live,
            WeightFormats.I32,
            (i, submit, random) -> (i / used + 2 * (i % used) + submit) % experts,
            Shape.of(7, used));
    Tensor shared = scene.input("shared" + at, live, 7, k);
    scene.output("of shared" + at, scene.batch().expertMatmul(shared, w, ids), Tolerance.DOT);
    Tensor own = scene.input("own" + at, live, 7, used, k);
    scene.output("of own" + at, scene.batch().expertMatmul(own, w, ids), Tolerance.DOT);
  }

  private static void sum(Scene scene) {
    Slot.Count live = scene.live("rows", 5, 5, 0, 3);
    for (int length : new int[] {1, 7, 64, 257}) {
      int used = length == 7 ? 1 : 4;
      Tensor x = scene.input("x" + length, live, 5, used, length);
      Tensor weights = scene.input("w" + length, live, Content.between(0, 1), 5, used);
      scene.output("y" + length, scene.batch().expertSum(x, weights), Tolerance.SHORT_SUM);
    }
  }
}
