package dev.quern.testkit;

import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Rope;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Rotary embedding, the cache, and attention over it. */
final class AttentionCases {
  private static final int CONTEXT = 320;
  private static final List<WeightFormat> CACHES = List.of(WeightFormats.F32, WeightFormats.F16);

  private AttentionCases() {}

  static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    for (Rope.Pairing pairing : Rope.Pairing.values()) {
      cases.add(new Case("rope " + pairing, scene -> rope(scene, pairing)));
    }
    for (WeightFormat cache : CACHES) {
      String at = " " + cache.name();
      cases.add(new Case("kv-append" + at, scene -> append(scene, cache)));
      for (int depth : new int[] {1, 2, 63, 64, 65, 300}) {
        cases.add(new Case("attention" + at + " depth " + depth, s -> depth(s, cache, depth)));
      }
      for (Heads heads : Heads.SOME) {
        cases.add(new Case("attention" + at + " " + heads, s -> ragged(s, cache, heads)));
        cases.add(new Case("attention" + at + " crowd, " + heads, s -> crowd(s, cache, heads)));
      }
      cases.add(new Case("attention" + at + " windows", s -> windows(s, cache)));
      cases.add(new Case("attention" + at + " soft cap", s -> softCap(s, cache)));
      cases.add(new Case("attention" + at + " sinks", s -> sinks(s, cache)));
      cases.add(new Case("attention" + at + " prompt", s -> prompt(s, cache)));
      cases.add(new Case("attention" + at + " long prompt", s -> longPrompt(s, cache)));
      cases.add(new Case("attention" + at + " live rows", s -> liveRows(s, cache)));
      cases.add(new Case("append, attention" + at, s -> appended(s, cache)));
    }
    return cases;
  }

  /** Query heads, cached heads, size of a head. */
  private record Heads(int queries, int cached, int size) {
    static final List<Heads> SOME =
        List.of(
            new Heads(1, 1, 32),
            new Heads(4, 4, 64),
            new Heads(8, 2, 64),
            new Heads(7, 1, 16),
            new Heads(9, 3, 48),
            new Heads(4, 2, 128),
            new Heads(2, 1, 80),
            new Heads(2, 2, 256));

    @Override
    public String toString() {
      return "%d of %d heads of %d".formatted(queries, cached, size);
    }
  }

  private static void rope(Scene scene, Rope.Pairing pairing) {
    Slot.Count live = scene.live("rows", 5, 5, 0, 4);
    for (int[] shape : new int[][] {{3, 64, 32}, {1, 2, 1}, {2, 80, 16}, {5, 128, 64}, {2, 7, 3}}) {
      String at = shape[0] + "x" + shape[1] + "x" + shape[2];
      Tensor x = scene.input("x" + at, live, 5, shape[0], shape[1]);
      Tensor positions =
          scene.indices("p" + at, live, 5, (i, submit, r) -> i == 0 ? 0 : r.nextInt(CONTEXT));
      Tensor table = scene.constant("table" + at, AttentionCases::angle, CONTEXT, shape[2], 2);
      scene.output("y" + at, scene.batch().rope(x, positions, table, pairing), Tolerance.ROPE);
    }
  }

  /** Cosines at even places, sines at odd ones. */
  static double angle(int index, int submit, RandomGenerator random) {
    int pair = index / 2;
    double angle = 0.37 * pair;
    return index % 2 == 0 ? Math.cos(angle) : Math.sin(angle);
  }

  private static void append(Scene scene, WeightFormat format) {
    Slot.Count live = scene.live("rows", 5, 5, 0, 3);
    Tensor x = scene.input("x", live, 5, 2, 40);
    Tensor sequences = scene.indices("sequences", live, 5, Content.of(0, 2, 1, 2, 0));
    Tensor positions =
        scene.indices("positions", live, 5, (i, submit, r) -> i == 0 ? 0 : 5 * submit + i);
    Tensor cache = cache(scene, "cache", format, Tolerance.BITS, 3, 19, new Heads(2, 2, 40));
    scene.batch().kvAppend(x, sequences, positions, cache);
  }

  private static Tensor cache(
      Scene scene,
      String name,
      WeightFormat format,
      Tolerance tolerance,
      int sequences,
      int context,
      Heads heads) {
    return scene.persistent(
        name,
        format,
        64,
        Content.scaled(2, 3),
        tolerance,
        sequences,
        context,
        heads.cached(),
        heads.size());
  }

  /** The tensors of one attention. */
  private record Parts(Tensor q, Tensor keys, Tensor values, Tensor sequences, Tensor positions) {}

  private static Parts parts(
      Scene scene, WeightFormat format, Heads heads, int[] sequences, int[] positions) {
    return parts(scene, null, sequences.length, format, heads, sequences, positions);
  }

  private static Parts parts(
      Scene scene,
      Slot.@Nullable Count live,
      int rows,
      WeightFormat format,
      Heads heads,
      int[] sequences,
      int[] positions) {
    return new Parts(
        scene.input("q", live, Content.scaled(2, 3), rows, heads.queries(), heads.size()),
        cache(scene, "keys", format, Tolerance.BITS, 3, CONTEXT, heads),
        cache(scene, "values", format, Tolerance.BITS, 3, CONTEXT, heads),
        scene.indices("sequences", live, rows, Content.of(sequences)),
        scene.indices("positions", live, rows, Content.of(positions)));
  }

  private static void attend(Scene scene, String name, Parts p, Attention.Rule rule) {
    Tensor y =
        scene.batch().attention(p.q(), p.keys(), p.values(), p.sequences(), p.positions(), rule);
    scene.output(name, y, Tolerance.ATTENTION);
  }

  private static void attend(Scene scene, String name, Parts p, Attention.Rule rule, Tensor sinks) {
    Tensor y = scene.batch().temporary("y", p.q().shape(), WeightFormats.F32, p.q().liveRows());
    scene
        .batch()
        .add(
            new Attention(
                p.q(), p.keys(), p.values(), p.sequences(), p.positions(), rule, sinks, y));
    scene.output(name, y, Tolerance.ATTENTION);
  }

  private static Attention.Rule rule(Heads heads, int window, float softCap) {
    return new Attention.Rule((float) (1 / Math.sqrt(heads.size())), window, softCap);
  }

  /** One row of the second of three sequences, all later positions full of numbers. */
  private static void depth(Scene scene, WeightFormat format, int depth) {
    Heads heads = new Heads(4, 2, 64);
    Parts parts = parts(scene, format, heads, new int[] {1}, new int[] {depth - 1});
    attend(scene, "y", parts, rule(heads, 0, 0));
  }

  /** Rows of several sequences at unrelated positions. */
  private static void ragged(Scene scene, WeightFormat format, Heads heads) {
    Parts parts =
        parts(
            scene,
            format,
            heads,
            new int[] {0, 2, 1, 2, 0},
            new int[] {17, 0, 129, 65, CONTEXT - 1});
    attend(scene, "y", parts, rule(heads, 0, 0));
  }

  /** More rows than a tile has, of all sequences in turn; with a window and a cap, with sinks. */
  private static void crowd(Scene scene, WeightFormat format, Heads heads) {
    Slot.Count live = scene.live("rows", 37, 37, 20);
    int[] sequences = new int[37];
    int[] positions = new int[37];
    for (int i = 0; i < positions.length; i++) {
      sequences[i] = 7 * i % 3;
      positions[i] = 53 * i % CONTEXT;
    }
    Parts p = parts(scene, live, 37, format, heads, sequences, positions);
    attend(scene, "all", p, rule(heads, 0, 0));
    attend(scene, "window", p, rule(heads, 50, 30));
    Tensor sinks = scene.constant("sinks", Content.scaled(4, 1), heads.queries());
    attend(scene, "sinks", p, rule(heads, 0, 0), sinks);
  }

  /** The rows of a prompt, from the first position on, and another sequence's behind them. */
  private static void longPrompt(Scene scene, WeightFormat format) {
    Slot.Count live = scene.live("rows", 150, 150, 129);
    Heads heads = new Heads(8, 2, 128);
    int[] sequences = new int[150];
    int[] positions = new int[150];
    for (int i = 0; i < positions.length; i++) {
      sequences[i] = i < 140 ? 2 : 0;
      positions[i] = i < 140 ? i : i + 100;
    }
    Parts parts = parts(scene, live, 150, format, heads, sequences, positions);
    attend(scene, "y", parts, rule(heads, 0, 0));
  }

  private static void windows(Scene scene, WeightFormat format) {
    Heads heads = new Heads(4, 2, 32);
    Parts parts = parts(scene, format, heads, new int[] {0, 1, 1, 2}, new int[] {0, 63, 100, 300});
    for (int window : new int[] {1, 7, 64, 100, 1000}) {
      attend(scene, "window" + window, parts, rule(heads, window, 0));
    }
  }

  private static void softCap(Scene scene, WeightFormat format) {
    Heads heads = new Heads(4, 2, 32);
    Parts parts = parts(scene, format, heads, new int[] {0, 1, 2}, new int[] {1, 63, 200});
    attend(scene, "low", parts, rule(heads, 0, 2));
    attend(scene, "high", parts, rule(heads, 50, 30));
  }

  private static void sinks(Scene scene, WeightFormat format) {
    Heads heads = new Heads(6, 2, 32);
    Parts p = parts(scene, format, heads, new int[] {0, 1, 2}, new int[] {0, 64, 200});
    Tensor sinks = scene.constant("sinks", Content.scaled(4, 1), 6);
    for (int window : new int[] {0, 16}) {
      attend(scene, "window" + window, p, rule(heads, window, 0), sinks);
    }
  }

  /** Consecutive rows of one sequence, each seeing one position more than the one before. */
  private static void prompt(Scene scene, WeightFormat format) {
    Heads heads = new Heads(4, 2, 32);
    int[] sequences = new int[33];
    int[] positions = new int[33];
    for (int i = 0; i < positions.length; i++) {
      sequences[i] = 1;
      positions[i] = 40 + i;
    }
    Parts parts = parts(scene, format, heads, sequences, positions);
    attend(scene, "all", parts, rule(heads, 0, 0));
    attend(scene, "window", parts, rule(heads, 19, 0));
  }

  private static void liveRows(Scene scene, WeightFormat format) {
    Slot.Count live = scene.live("rows", 6, 6, 0, 1, 5);
    Heads heads = new Heads(4, 2, 32);
    Parts parts =
        parts(
            scene,
            live,
            6,
            format,
            heads,
            new int[] {2, 1, 0, 0, 1, 1},
            new int[] {9, 70, 0, 1, 2, 130});
    attend(scene, "y", parts, rule(heads, 0, 0));
  }

  /** Rows enter the cache and are seen in the same batch, submit after submit. */
  private static void appended(Scene scene, WeightFormat format) {
    Slot.Count live = scene.live("rows", 4, 4, 3, 4, 1);
    Heads heads = new Heads(4, 2, 64);
    Tensor q = scene.input("q", live, Content.scaled(2, 3), 4, 4, 64);
    Tensor k = scene.input("k", live, Content.scaled(2, 3), 4, 2, 64);
    Tensor v = scene.input("v", live, Content.scaled(2, 3), 4, 2, 64);
    Tensor keys = cache(scene, "keys", format, Tolerance.BITS, 2, 40, heads);
    Tensor values = cache(scene, "values", format, Tolerance.BITS, 2, 40, heads);
    Tensor sequences = scene.indices("sequences", live, 4, Content.of(0, 0, 1, 1));
    Tensor positions =
        scene.indices("positions", live, 4, (i, submit, r) -> 9 * submit + i % 2 + 3 * (i / 2));
    scene.batch().kvAppend(k, sequences, positions, keys);
    scene.batch().kvAppend(v, sequences, positions, values);
    Tensor y = scene.batch().attention(q, keys, values, sequences, positions, rule(heads, 0, 0));
    scene.output("y", y, Tolerance.ATTENTION);
  }
}
