package dev.quern.testkit;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Rope;
import java.util.ArrayList;
import java.util.List;

/** The blocks of transformers: what backends fuse. */
final class BlockCases {
  private static final int HIDDEN = 256;
  private static final int CONTEXT = 40;

  private BlockCases() {}

  static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    cases.add(ffn("F32", WeightFormats.F32, WeightFormats.F32));
    cases.add(ffn("F16", WeightFormats.F16, WeightFormats.BF16));
    cases.add(ffn("Q4_0", WeightFormats.Q4_0, WeightFormats.Q8_0));
    cases.add(ffn("Q4_K", WeightFormats.Q4_K, WeightFormats.Q6_K));
    cases.add(ffn("ternary", WeightFormats.TQ2_0, WeightFormats.TQ1_0));
    cases.add(new Case("attention block F32", s -> attention(s, WeightFormats.F32, false)));
    cases.add(new Case("attention block F16", s -> attention(s, WeightFormats.F16, true)));
    cases.add(new Case("mixture of experts", BlockCases::experts));
    cases.add(new Case("head on selected rows", BlockCases::head));
    cases.add(new Case("layer", BlockCases::layer));
    return cases;
  }

  private static Case ffn(String name, WeightFormat wide, WeightFormat narrow) {
    return new Case(
        "swiglu " + name,
        scene -> {
          Slot.Count live = scene.live("rows", 7, 7, 1, 0, 3);
          Tensor x = scene.input("x", live, Content.scaled(1, 2), 7, HIDDEN);
          scene.output("y", ffn(scene, x, wide, narrow), Tolerance.CHAIN);
        });
  }

  /** {@code x + down(swish(gate(norm(x))) · up(norm(x)))}. */
  private static Tensor ffn(Scene scene, Tensor x, WeightFormat wide, WeightFormat narrow) {
    BatchRecorder batch = scene.batch();
    Tensor norm =
        batch.rmsNorm(x, scene.constant("ffn_norm", Content.between(0.01, 0.1), HIDDEN), 1e-5f);
    Tensor gate = batch.matmul(norm, scene.weight("gate", wide, 512, HIDDEN));
    Tensor up = batch.matmul(norm, scene.weight("up", wide, 512, HIDDEN));
    Tensor h = batch.mul(batch.swish(gate), up);
    return batch.add(x, batch.matmul(h, scene.weight("down", narrow, HIDDEN, 512)));
  }

  private static void attention(Scene scene, WeightFormat cache, boolean headNorms) {
    Slot.Count live = scene.live("rows", 5, 5, 2, 0, 1);
    Tensor x = scene.input("x", live, Content.scaled(1, 2), 5, HIDDEN);
    scene.output("y", attention(scene, x, live, cache, headNorms), Tolerance.CHAIN);
  }

  /** Projections, biases, norms of heads, rotation, cache, attention, projection, residual. */
  private static Tensor attention(
      Scene scene, Tensor x, Slot.Count live, WeightFormat cache, boolean headNorms) {
    int rows = (int) x.shape().rows();
    Tensor sequences = scene.indices("sequences", live, rows, Content.of(0, 0, 1, 1, 0));
    Tensor positions =
        scene.indices(
            "positions", live, rows, (i, submit, r) -> 7 * submit + new int[] {0, 1, 0, 1, 2}[i]);
    BatchRecorder batch = scene.batch();
    Tensor norm =
        batch.rmsNorm(x, scene.constant("attn_norm", Content.between(0.01, 0.1), HIDDEN), 1e-5f);
    Tensor q = project(scene, norm, "q", 4, headNorms);
    Tensor k = project(scene, norm, "k", 2, headNorms);
    Tensor v = project(scene, norm, "v", 2, false);
    Tensor table = scene.constant("table", AttentionCases::angle, CONTEXT, 32, 2);
    Tensor rotated = batch.rope(q, positions, table, Rope.Pairing.HALVES);
    Tensor keys = cache(scene, "keys", cache);
    Tensor values = cache(scene, "values", cache);
    batch.kvAppend(
        batch.rope(k, positions, table, Rope.Pairing.HALVES), sequences, positions, keys);
    batch.kvAppend(v, sequences, positions, values);
    Tensor y =
        batch.attention(rotated, keys, values, sequences, positions, Attention.Rule.causal(0.125f));
    Tensor flat = y.reshape(Shape.of(rows, 256));
    return batch.add(x, batch.matmul(flat, scene.weight("o", WeightFormats.Q5_K, HIDDEN, 256)));
  }

  private static Tensor project(
      Scene scene, Tensor norm, String name, int heads, boolean headNorms) {
    BatchRecorder batch = scene.batch();
    Tensor w = scene.weight(name, WeightFormats.Q4_K, 64L * heads, HIDDEN);
    Tensor bias = scene.constant(name + ".bias", Content.scaled(0.1, 2), 64L * heads);
    Tensor y = batch.add(batch.matmul(norm, w), bias);
    Tensor split = y.reshape(Shape.of(norm.shape().rows(), heads, 64));
    return headNorms
        ? batch.rmsNorm(split, scene.constant(name + ".norm", Content.between(0.5, 1), 64), 1e-6f)
        : split;
  }

  private static Tensor cache(Scene scene, String name, WeightFormat format) {
    return scene.persistent(
        name, format, 0, Content.scaled(1, 1), Tolerance.CHAIN, 2, CONTEXT, 2, 64);
  }

  /** The router's scores are far apart, so that rounding does not change its choice. */
  private static void experts(Scene scene) {
    Slot.Count live = scene.live("rows", 5, 5, 1, 0, 4);
    BatchRecorder batch = scene.batch();
    Tensor x = scene.input("x", live, Content.scaled(1, 2), 5, HIDDEN);
    Tensor norm =
        batch.rmsNorm(x, scene.constant("norm", Content.between(0.1, 0.3), HIDDEN), 1e-5f);
    Tensor router = scene.constant("router", Content.scaled(1, 1), 8, HIDDEN);
    BatchRecorder.Largest chosen = batch.topK(batch.softmax(batch.matmul(norm, router)), 2);
    Tensor gate = scene.weight("gate", WeightFormats.Q4_K, 8, 256, HIDDEN);
    Tensor up = scene.weight("up", WeightFormats.Q4_K, 8, 256, HIDDEN);
    Tensor down = scene.weight("down", WeightFormats.Q6_K, 8, HIDDEN, 256);
    Tensor h =
        batch.mul(
            batch.swish(batch.expertMatmul(norm, gate, chosen.ids())),
            batch.expertMatmul(norm, up, chosen.ids()));
    Tensor y = batch.expertSum(batch.expertMatmul(h, down, chosen.ids()), chosen.values());
    scene.output("y", batch.add(x, y), Tolerance.CHAIN);
  }

  /** Norm and vocabulary projection of the last rows only, then the most likely tokens. */
  private static void head(Scene scene) {
    Slot.Count live = scene.live("rows", 9, 9, 4);
    Slot.Count selected = scene.live("selected", 2, 2, 1);
    BatchRecorder batch = scene.batch();
    Tensor tokens = scene.indices("tokens", live, 9, (i, submit, r) -> (13 * i + 5) % 101);
    Tensor table = scene.weight("table", WeightFormats.Q6_K, 101, HIDDEN);
    Tensor rows = scene.indices("selection", selected, 2, (i, submit, r) -> 3 - i);
    Tensor x = batch.gatherRows(batch.embed(tokens, table), rows);
    Tensor norm = batch.rmsNorm(x, scene.constant("norm", Content.between(1, 2), HIDDEN), 1e-5f);
    Tensor logits = batch.matmul(norm, table);
    scene.output("logits", logits, Tolerance.CHAIN);
    scene.output("largest", batch.topK(logits, 5).values(), Tolerance.CHAIN);
  }

  private static void layer(Scene scene) {
    Slot.Count live = scene.live("rows", 5, 5, 1, 2);
    Tensor x = scene.input("x", live, Content.scaled(1, 2), 5, HIDDEN);
    Tensor h = attention(scene, x, live, WeightFormats.F32, false);
    scene.output("y", ffn(scene, h, WeightFormats.Q4_K, WeightFormats.Q6_K), Tolerance.CHAIN);
  }
}
