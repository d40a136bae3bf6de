package dev.quern.testkit;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Add;
import dev.quern.core.op.ArgMax;
import dev.quern.core.op.Mul;
import java.util.ArrayList;
import java.util.List;

/** Several operations in one batch: order, reuse of memory, fusion, results that feed results. */
final class BatchCases {
  private BatchCases() {}

  static List<Case> all() {
    List<Case> cases = new ArrayList<>(BlockCases.all());
    cases.add(new Case("long chain", BatchCases::longChain));
    cases.add(new Case("independent branches", BatchCases::branches));
    cases.add(new Case("late step of an early wave", BatchCases::lateStep));
    cases.add(new Case("reused temporaries", BatchCases::reusedTemporaries));
    cases.add(new Case("hazards in a persistent buffer", BatchCases::hazards));
    cases.add(new Case("outputs that are read again", BatchCases::outputsReadAgain));
    cases.add(new Case("views of an input", BatchCases::views));
    cases.add(new Case("tokens stay on the device", BatchCases::tokens));
    cases.add(new Case("many submits, one read", BatchCases::manySubmits));
    return cases;
  }

  /** Sixty operations, each reading the one before. */
  private static void longChain(Scene scene) {
    BatchRecorder batch = scene.batch();
    Tensor first = scene.input("x", null, Content.scaled(1, 2), 3, 67);
    Tensor weight = scene.constant("w", Content.between(0.5, 1.5), 67);
    Tensor h = first;
    for (int i = 0; i < 15; i++) {
      Tensor norm = batch.rmsNorm(h, weight, 1e-5f);
      h = batch.add(batch.mul(batch.swish(norm), weight), first);
    }
    scene.output("y", h, Tolerance.CHAIN);
  }

  /** Two chains that share nothing but their input and the last sum. */
  private static void branches(Scene scene) {
    BatchRecorder batch = scene.batch();
    Slot.Count live = scene.live("rows", 5, 5, 2);
    Tensor x = scene.input("x", live, Content.scaled(1, 2), 5, 64);
    Tensor up = scene.weight("up", WeightFormats.Q8_0, 96, 64);
    Tensor left = scene.weight("left", WeightFormats.Q4_0, 33, 96);
    Tensor right = scene.weight("right", WeightFormats.F16, 33, 64);
    Tensor one = batch.matmul(batch.swish(batch.matmul(x, up)), left);
    Tensor two = batch.softmax(batch.matmul(batch.mul(x, x), right));
    scene.output("one", one, Tolerance.CHAIN);
    scene.output("two", two, Tolerance.LOOSE_SOFTMAX);
    scene.output("sum", batch.add(one, two), Tolerance.CHAIN);
  }

  /**
   * The last steps recorded could run first, and the memory of their temporary is that of one which
   * is alive after them: steps must run wave by wave, or memory must not be shared.
   */
  private static void lateStep(Scene scene) {
    BatchRecorder batch = scene.batch();
    Tensor x = scene.input("x", null, Content.scaled(1, 2), 5, 64);
    Tensor wide = scene.input("wide", null, Content.scaled(1, 2), 5, 256);
    Tensor third = batch.swish(batch.swish(batch.swish(x)));
    Tensor early = batch.mul(wide, wide);
    scene.output("early", batch.swish(early), Tolerance.CHAIN);
    scene.output("late", batch.add(third, x), Tolerance.CHAIN);
  }

  /** More temporaries than are alive at once, of sizes that differ. */
  private static void reusedTemporaries(Scene scene) {
    BatchRecorder batch = scene.batch();
    Tensor total = scene.input("x", null, Content.scaled(1, 2), 7, 32);
    for (int i = 0; i < 6; i++) {
      int wide = 32 + 37 * i;
      Tensor up = scene.constant("up" + i, Content.scaled(0.2, 1), wide, 32);
      Tensor down = scene.constant("down" + i, Content.scaled(0.2, 1), 32, wide);
      total = batch.add(total, batch.matmul(batch.swish(batch.matmul(total, up)), down));
    }
    scene.output("y", total, Tolerance.CHAIN);
  }

  /** Written, read, written again, read again: in this order only. */
  private static void hazards(Scene scene) {
    scene.submits(3);
    Tensor a = scene.input("a", null, Content.scaled(1, 2), 9, 129);
    Tensor b = scene.input("b", null, Content.scaled(1, 2), 9, 129);
    Tensor shared =
        scene.persistent(
            "shared", WeightFormats.F32, 0, Content.scaled(1, 1), Tolerance.ONE_ROUNDING, 9, 129);
    BatchRecorder batch = scene.batch();
    scene.output("old", batch.swish(shared), Tolerance.SWISH);
    batch.add(new Add(a, b, shared));
    scene.output("sum", batch.swish(shared), Tolerance.SWISH);
    batch.add(new Mul(a, b, shared));
    scene.output("product", batch.swish(shared), Tolerance.SWISH);
    batch.add(new Mul(b.rows(0, 4), b.rows(4, 4), shared.rows(3, 4)));
  }

  /** An intermediate result is an output and an operand as well. */
  private static void outputsReadAgain(Scene scene) {
    BatchRecorder batch = scene.batch();
    Slot.Count live = scene.live("rows", 3, 3, 1);
    Tensor x = scene.input("x", live, Content.scaled(1, 2), 3, 64);
    Tensor w = scene.weight("w", WeightFormats.F32, 64, 64);
    Tensor first = batch.swish(x);
    scene.output("first", first, Tolerance.SWISH);
    Tensor second = batch.mul(first, x);
    scene.output("second", second, Tolerance.CHAIN);
    Tensor third = batch.matmul(second, w);
    scene.output("third", third, Tolerance.CHAIN);
    scene.output("fourth", batch.add(third, first), Tolerance.CHAIN);
  }

  /** Rows of one input as operands; they start at any multiple of 4. */
  private static void views(Scene scene) {
    BatchRecorder batch = scene.batch();
    Tensor x = scene.input("x", null, Content.scaled(1, 2), 8, 33);
    Tensor w = scene.weight("w", WeightFormats.F16, 17, 33);
    Tensor low = x.rows(1, 3);
    Tensor high = x.rows(5, 3);
    scene.output("mul", batch.mul(low, high), Tolerance.ONE_ROUNDING);
    scene.output("matmul", batch.matmul(high, w), Tolerance.DOT);
    scene.output("softmax", batch.softmax(x.rows(7, 1)), Tolerance.SOFTMAX);
    scene.output("argMax", batch.argMax(low), Tolerance.BITS);
  }

  /**
   * The token that one submit finds is the one that the next embeds, several submits ahead of the
   * host. The head holds the vectors of the table in another order, so the largest logit is far
   * above the rest and the tokens are the same in every precision.
   */
  private static void tokens(Scene scene) {
    int vocabulary = 61;
    int length = 64;
    scene.submits(3);
    scene.burst(5);
    BatchRecorder batch = scene.batch();
    Tensor table =
        scene.constant("table", (i, s, r) -> sign(i / length, i % length), vocabulary, length);
    Tensor head =
        scene.constant(
            "head", (i, s, r) -> sign(i / length * 7 % vocabulary, i % length), vocabulary, length);
    Tensor tokens =
        scene.persistent("tokens", WeightFormats.I32, 8, Content.of(1, 17, 60), Tolerance.BITS, 3);
    Tensor x = batch.embed(tokens, table);
    Tensor logits = batch.matmul(x, head);
    scene.output("logits", logits, Tolerance.DOT);
    batch.add(new ArgMax(logits, tokens));
  }

  private static double sign(int token, int element) {
    return Seeds.of("token", token, element).nextBoolean() ? 1 : -1;
  }

  /** A sum that every submit adds to, started many times before it is read. */
  private static void manySubmits(Scene scene) {
    scene.submits(2);
    scene.burst(40);
    BatchRecorder batch = scene.batch();
    Tensor x = scene.input("x", null, Content.scaled(1, 2), 3, 65);
    Tensor half = scene.constant("factor", Content.between(0.8, 0.9), 1);
    Tensor sum =
        scene.persistent("sum", WeightFormats.F32, 4, Content.scaled(1, 1), Tolerance.CHAIN, 3, 65);
    Tensor next =
        scene.persistent(
            "next", WeightFormats.F32, 0, Content.scaled(1, 1), Tolerance.CHAIN, 3, 65);
    batch.add(new Add(batch.mul(sum, half), x, next));
    batch.add(new Mul(next, scene.constant("one", Content.between(1, 1.0000001), 1), sum));
  }
}
