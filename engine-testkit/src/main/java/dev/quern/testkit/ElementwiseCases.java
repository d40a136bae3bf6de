package dev.quern.testkit;

import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Add;
import dev.quern.core.op.Mul;
import dev.quern.core.op.Pointwise;
import dev.quern.core.op.Swish;
import java.util.ArrayList;
import java.util.List;

/** Swish, products and sums, with everything that can be repeated. */
final class ElementwiseCases {
  private static final int[] LENGTHS = {1, 3, 7, 63, 64, 65, 257, 1031};

  private ElementwiseCases() {}

  static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    cases.add(new Case("swish", ElementwiseCases::swish));
    cases.add(new Case("swish extremes", ElementwiseCases::swishExtremes));
    cases.add(new Case("pointwise", ElementwiseCases::pointwise));
    cases.add(new Case("pointwise extremes", ElementwiseCases::pointwiseExtremes));
    cases.add(new Case("mul", scene -> binary(scene, false)));
    cases.add(new Case("add", scene -> binary(scene, true)));
    cases.add(new Case("mul repeated", scene -> repeated(scene, false)));
    cases.add(new Case("add repeated", scene -> repeated(scene, true)));
    cases.add(new Case("elementwise live rows", ElementwiseCases::liveRows));
    cases.add(new Case("elementwise in place", ElementwiseCases::inPlace));
    cases.add(new Case("elementwise rank 3", ElementwiseCases::rank3));
    return cases;
  }

  private static void swish(Scene scene) {
    for (int length : LENGTHS) {
      Tensor x = scene.input("x" + length, null, 3, length);
      scene.output("y" + length, scene.batch().swish(x), Tolerance.SWISH);
    }
  }

  /** From where e⁻ˣ overflows to where the result is x; 0, not NaN, far below. */
  private static void swishExtremes(Scene scene) {
    int[] values = {-10_000, -1000, -128, -104, -100, -89, -88, -50, -1, 0, 1, 20, 88, 128, 30_000};
    Tensor x = scene.input("x", null, Content.of(values), 1, values.length);
    scene.output("y", scene.batch().swish(x), Tolerance.SWISH);
  }

  private static void pointwise(Scene scene) {
    Slot.Count live = scene.live("rows", 3, 3, 1);
    for (int length : LENGTHS) {
      Tensor x = scene.input("x" + length, live, 3, length);
      scene.output("gelu" + length, gelu(scene, x), Tolerance.GELU);
      scene.output("capped" + length, softCap(scene, x, 0.7f), Tolerance.SOFT_CAP);
      if (length > 7) { // of a few elements, all may lie outside
        scene.output("clamped" + length, clamp(scene, x, -0.5f, 0.25f), Tolerance.BITS);
      }
    }
  }

  private static void pointwiseExtremes(Scene scene) {
    int[] values = {-30_000, -1000, -100, -88, -13, -10, -5, -1, 0, 1, 7, 8, 88, 128, 30_000};
    Tensor x = scene.input("x", null, Content.of(values), 1, values.length);
    scene.output("gelu", gelu(scene, x), Tolerance.GELU);
    scene.output("capped", softCap(scene, x, 30), Tolerance.SOFT_CAP);
    scene.output("below", clamp(scene, x, Float.NEGATIVE_INFINITY, 7), Tolerance.BITS);
    scene.output("above", clamp(scene, x, -7, Float.POSITIVE_INFINITY), Tolerance.BITS);
  }

  private static Tensor gelu(Scene scene, Tensor x) {
    return scene.batch().pointwise(x, new Pointwise.Function.Gelu());
  }

  private static Tensor softCap(Scene scene, Tensor x, float cap) {
    return scene.batch().pointwise(x, new Pointwise.Function.SoftCap(cap));
  }

  private static Tensor clamp(Scene scene, Tensor x, float low, float high) {
    return scene.batch().pointwise(x, new Pointwise.Function.Clamp(low, high));
  }

  private static void binary(Scene scene, boolean add) {
    for (int length : LENGTHS) {
      Tensor a = scene.input("a" + length, null, 5, length);
      Tensor b = scene.input("b" + length, null, 5, length);
      scene.output("y" + length, apply(scene, add, a, b), Tolerance.ONE_ROUNDING);
    }
  }

  private static void repeated(Scene scene, boolean add) {
    for (int length : LENGTHS) {
      Tensor a = scene.input("a" + length, null, 3, length);
      Tensor vector = scene.constant("v" + length, Content.between(0.5, 2), length);
      Tensor one = scene.constant("s" + length, Content.between(0.5, 2), 1);
      Tensor bound = scene.input("i" + length, null, length);
      scene.output("byVector" + length, apply(scene, add, a, vector), Tolerance.ONE_ROUNDING);
      scene.output("byOne" + length, apply(scene, add, a, one), Tolerance.ONE_ROUNDING);
      scene.output("byInput" + length, apply(scene, add, a, bound), Tolerance.ONE_ROUNDING);
    }
  }

  private static void liveRows(Scene scene) {
    Slot.Count live = scene.live("rows", 7, 7, 0, 1, 6);
    Tensor a = scene.input("a", live, 7, 67);
    Tensor b = scene.input("b", live, 7, 67);
    Tensor vector = scene.constant("v", Content.between(0.5, 2), 67);
    scene.output("swish", scene.batch().swish(a), Tolerance.SWISH);
    scene.output("mul", scene.batch().mul(a, b), Tolerance.ONE_ROUNDING);
    scene.output("add", scene.batch().add(a, b), Tolerance.ONE_ROUNDING);
    scene.output("mulBy", scene.batch().mul(a, vector), Tolerance.ONE_ROUNDING);
    scene.output("addTo", scene.batch().add(a, vector), Tolerance.ONE_ROUNDING);
  }

  /** Into persistent buffers at odd offsets, read by the next operation and the next submit. */
  private static void inPlace(Scene scene) {
    scene.submits(3);
    Tensor x = scene.input("x", null, 3, 33);
    Tensor product = persistent(scene, "product", 4);
    Tensor sum = persistent(scene, "sum", 12);
    Tensor swish = persistent(scene, "swish", 36);
    scene.batch().add(new Mul(x, sum, product));
    scene.batch().add(new Swish(product, swish));
    scene.batch().add(new Add(product, x, sum));
  }

  private static Tensor persistent(Scene scene, String name, int offset) {
    return scene.persistent(
        name, WeightFormats.F32, offset, Content.scaled(0.5, 1), Tolerance.CHAIN, 3, 33);
  }

  private static void rank3(Scene scene) {
    Slot.Count live = scene.live("rows", 4, 4, 3);
    Tensor a = scene.input("a", live, 4, 3, 17);
    Tensor vector = scene.constant("v", Content.between(0.5, 2), 17);
    scene.output("mul", scene.batch().mul(a, vector), Tolerance.ONE_ROUNDING);
    Tensor flat = a.reshape(Shape.of(4, 51));
    scene.output("add", scene.batch().add(flat, flat), Tolerance.ONE_ROUNDING);
    Tensor line = scene.input("line", null, 129);
    scene.output("swish", scene.batch().swish(line), Tolerance.SWISH);
  }

  private static Tensor apply(Scene scene, boolean add, Tensor a, Tensor b) {
    return add ? scene.batch().add(a, b) : scene.batch().mul(a, b);
  }
}
