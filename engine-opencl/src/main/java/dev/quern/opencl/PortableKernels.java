package dev.quern.opencl;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.Add;
import dev.quern.core.op.ArgMax;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Embed;
import dev.quern.core.op.ExpertMatMul;
import dev.quern.core.op.ExpertSum;
import dev.quern.core.op.GatherRows;
import dev.quern.core.op.KvAppend;
import dev.quern.core.op.Mul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Pointwise;
import dev.quern.core.op.Projection;
import dev.quern.core.op.RmsNorm;
import dev.quern.core.op.Rope;
import dev.quern.core.op.Softmax;
import dev.quern.core.op.Swish;
import dev.quern.core.op.TopK;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The rows of the kernel table that work on every OpenCL 1.2 device: float32 arithmetic, in any
 * precision. The order of integers and operands is that of the comment on top of each source.
 */
final class PortableKernels {
  private static final String TEAM = "lib/team.clh";
  private static final String BEST = "lib/best.clh";

  /** Positions of a tile of attention. */
  private static final int SCORES = 64;

  /** Most rows that share one decoding of a weight. */
  private static final int MAX_TILE = 8;

  /** Elements that a GPU reads at once. */
  private static final int FOUR = 4;

  private static final String SWISH = "((%1$s) / (1.0f + exp(-(%1$s))))";
  private static final String GELU =
      "((%1$s) / (1.0f + exp(-1.59576912f * ((%1$s) + 0.044715f * (%1$s) * (%1$s) * (%1$s)))))";

  private final Geometry geometry;
  private final Neighbours neighbours;
  private final Temporaries temporaries;
  private final Halves halves;

  /**
   * Kernels for one batch.
   *
   * @param halves the form in which other kernels read results
   */
  PortableKernels(
      Geometry geometry, Neighbours neighbours, Temporaries temporaries, Halves halves) {
    this.geometry = geometry;
    this.neighbours = neighbours;
    this.temporaries = temporaries;
    this.halves = halves;
  }

  List<KernelRow<?>> rows() {
    return List.of(
        new KernelRow<>("matmul", Projection.class, this::projection),
        new KernelRow<>("expert-matmul", ExpertMatMul.class, this::expertMatMul),
        new KernelRow<>("expert-sum", ExpertSum.class, this::expertSum),
        new KernelRow<>("swish + mul", Swish.class, op -> gate(op, "swish", SWISH)),
        new KernelRow<>(
            "swish", Swish.class, op -> pointwise(op, "swish", SWISH.formatted("v"), 0, 0)),
        new KernelRow<>("pointwise + mul", Pointwise.class, this::gate),
        new KernelRow<>("pointwise", Pointwise.class, this::pointwise),
        new KernelRow<>(
            "mul", Mul.class, op -> elementwise(op, "mul", "*", op.a(), op.b(), op.y())),
        new KernelRow<>("add + rms-norm", Add.class, this::sumNorm),
        new KernelRow<>(
            "add", Add.class, op -> elementwise(op, "add", "+", op.a(), op.b(), op.y())),
        new KernelRow<>("softmax", Softmax.class, this::softmax),
        new KernelRow<>("rms-norm", RmsNorm.class, this::rmsNorm),
        new KernelRow<>("rope", Rope.class, this::rope),
        new KernelRow<>("kv-append", KvAppend.class, this::kvAppend),
        new KernelRow<>("attention", Attention.class, this::attention),
        new KernelRow<>("embed", Embed.class, this::embed),
        new KernelRow<>("gather-rows", GatherRows.class, this::gatherRows),
        new KernelRow<>("arg-max", ArgMax.class, this::argMax),
        new KernelRow<>("top-k", TopK.class, this::topK));
  }

  private Offer projection(Projection op) {
    WeightFormat format = op.w().format();
    if (!FormatSources.decodes(format)) {
      return FormatSources.noDecoder(format);
    }
    long outputs = op.w().shape().rows();
    int tile = (int) Math.min(MAX_TILE, Long.highestOneBit(op.x().shape().rows()));
    SortedMap<String, String> macros = FormatSources.decoder(format);
    macros.put("TILE", Integer.toString(tile));
    Body body =
        new Body(
            "matmul_" + FormatSources.lower(format) + "_" + tile,
            FormatSources.libraries(format, TEAM),
            "op/matmul.clh",
            macros,
            4 * geometry.group());
    return took(
        StepBuilder.of(op, body, op.x())
            .integers(outputs, op.w().shape().last(), op.w().rowBytes())
            .operands(op.x(), op.w(), op.y())
            .tasks(geometry.groupsFor(outputs * geometry.lanes())));
  }

  private Offer expertMatMul(ExpertMatMul op) {
    WeightFormat format = op.w().format();
    if (!FormatSources.decodes(format)) {
      return FormatSources.noDecoder(format);
    }
    Body body =
        new Body(
            "expert_matmul_" + FormatSources.lower(format),
            FormatSources.libraries(format, TEAM),
            "op/expert-matmul.clh",
            FormatSources.decoder(format),
            4 * geometry.group());
    long experts = op.w().shape().rows();
    long outputs = op.w().shape().dim(1);
    return took(
        StepBuilder.of(op, body, op.x())
            .integers(
                outputs,
                op.w().shape().last(),
                op.w().rowBytes() / outputs,
                op.ids().shape().last(),
                experts,
                op.x().shape().rank() == 3 ? 1 : 0)
            .operands(op.x(), op.w(), op.ids(), op.y())
            .tasks(geometry.groupsFor(outputs * geometry.lanes())));
  }

  private Offer expertSum(ExpertSum op) {
    return took(
        StepBuilder.of(op, plain("expert-sum", 0), op.x())
            .integers(op.y().shape().last(), op.x().shape().dim(1))
            .operands(op.x(), op.weights(), op.y())
            .tasks(geometry.groupsFor(op.y().shape().elements())));
  }

  private Offer pointwise(Pointwise op) {
    return switch (op.function()) {
      case Pointwise.Function.Gelu _ -> pointwise(op, "gelu", GELU.formatted("v"), 0, 0);
      case Pointwise.Function.SoftCap(float cap) ->
          pointwise(op, "soft_cap", "(HIGH * tanh((v) / HIGH))", 0, cap);
      case Pointwise.Function.Clamp(float low, float high) ->
          pointwise(op, "clamp", "min(max((v), LOW), HIGH)", low, high);
    };
  }

  private Offer pointwise(Op op, String name, String formula, float low, float high) {
    Tensor x = op.reads().getFirst();
    SortedMap<String, String> macros = new TreeMap<>(Map.of("APPLY(v)", formula));
    Body body = new Body(name, List.of(), "op/pointwise.clh", macros, 0);
    return took(
        StepBuilder.of(op, body, x)
            .integers(
                x.shape().rowElements(),
                Float.floatToRawIntBits(low),
                Float.floatToRawIntBits(high))
            .operands(x, op.writes().getFirst())
            .tasks(chunks(x)));
  }

  private Offer gate(Pointwise op) {
    return op.function() instanceof Pointwise.Function.Gelu
        ? gate(op, "gelu", GELU)
        : new Offer.Refused("it is not the gate of a product");
  }

  /** An activation and the product that alone reads it. */
  private Offer gate(Op op, String name, String formula) {
    Tensor x = op.reads().getFirst();
    Tensor y = op.writes().getFirst();
    Mul mul = neighbours.partner(op, y, Mul.class);
    if (mul == null || !neighbours.onlyFor(op, y, List.of(mul))) {
      return new Offer.Refused("it does not go into one product alone");
    }
    Tensor other = Neighbours.same(mul.a(), y) ? mul.b() : mul.a();
    if (other.storage().equals(y.storage()) || !other.shape().equals(x.shape())) {
      return new Offer.Refused("the other factor is not of its shape");
    }
    String product = "(" + formula.formatted("a") + " * (b))";
    return elementwise(List.of(op, mul), name + "_mul", product, x, other, mul.y());
  }

  private Offer elementwise(Op op, String name, String sign, Tensor a, Tensor b, Tensor y) {
    return elementwise(List.of(op), name, "((a) " + sign + " (b))", a, b, y);
  }

  private Offer elementwise(
      List<Op> ops, String name, String formula, Tensor a, Tensor b, Tensor y) {
    SortedMap<String, String> macros = new TreeMap<>(Map.of("APPLY(a, b)", formula));
    long repeat = b.shape().equals(a.shape()) ? 0 : b.shape().elements();
    Halves.Wanted wanted =
        repeat % FOUR == 0 && inFours(a, b, y)
            ? halves.wanted(ops.getLast(), y)
            : Halves.Wanted.plain(y);
    Body body = withHalves(wanted, new Body(name, List.of(), "op/elementwise.clh", macros, 0));
    return took(
        StepBuilder.of(ops, body, a)
            .integers(a.shape().rowElements(), repeat, wanted.capacity())
            .operands(a, b, wanted.y(), wanted.target())
            .touching(List.of(a, b), Arrays.asList(wanted.y(), wanted.target()))
            .tasks(chunks(a)));
  }

  /** The body, or that which writes halves as well. */
  private static Body withHalves(Halves.Wanted wanted, Body body) {
    if (wanted.target() == null) {
      return body;
    }
    SortedMap<String, String> macros = new TreeMap<>(body.macros());
    macros.put("HALVES", "");
    List<String> libraries = List.of(Halves.LIBRARY);
    return new Body(body.name() + "_halves", libraries, body.source(), macros, body.scratchBytes());
  }

  /** Whether a GPU reads and writes these by four elements, counted in 32 bits. */
  private boolean inFours(Tensor... tensors) {
    return geometry.group() > 1
        && Arrays.stream(tensors)
            .allMatch(t ->
                t.offset() % (FOUR * Float.BYTES) == 0
                    && t.shape().last() % FOUR == 0
                    && t.shape().elements() <= Integer.MAX_VALUE);
  }

  private Offer softmax(Softmax op) {
    long length = op.x().shape().last();
    return took(
        StepBuilder.of(op, plain("softmax", 4 * geometry.group()), op.x())
            .integers(op.x().shape().rowElements() / length, length)
            .operands(op.x(), op.y())
            .tasks(op.x().shape().elements() / length));
  }

  private Offer rmsNorm(RmsNorm op) {
    return took(norm(List.of(op), op, op.x(), null, null));
  }

  /** A sum and the norm of it; the sum itself is written as well. */
  private Offer sumNorm(Add op) {
    RmsNorm norm = neighbours.normOf(op);
    if (norm == null) {
      return new Offer.Refused("no norm of the sum follows");
    }
    Tensor planes = temporaries.form(op.a(), Temporaries.PLANES);
    return planes == null
        ? took(norm(List.of(op, norm), norm, op.a(), op.b(), op.y()))
        : took(norm(List.of(op, norm), norm, op.b(), op.a(), op.y()));
  }

  private Step.Kernel norm(
      List<Op> ops, RmsNorm op, Tensor x, @Nullable Tensor b, @Nullable Tensor sum) {
    long length = op.x().shape().last();
    long vectors = op.x().shape().rowElements() / length;
    Halves.Wanted wanted =
        vectors == 1 && inFours(x, op.weight(), op.y(), b == null ? x : b, sum == null ? x : sum)
            ? halves.wanted(op, op.y())
            : Halves.Wanted.plain(op.y());
    SortedMap<String, String> macros = new TreeMap<>();
    if (sum != null) {
      macros.put("SUM", "");
    }
    String name = sum == null ? "rms_norm" : "add_rms_norm";
    Body plain = new Body(name, List.of(), "op/rms-norm.clh", macros, 4 * geometry.group());
    Body body = withHalves(wanted, plain);
    Tensor planes = b == null ? null : temporaries.form(b, Temporaries.PLANES);
    Tensor summand = planes == null ? b : planes;
    long plane = op.x().shape().elements();
    return StepBuilder.of(ops, body, op.x())
        .integers(
            vectors,
            length,
            Float.floatToRawIntBits(op.epsilon()),
            wanted.capacity(),
            planes == null ? 1 : planes.shape().elements() / plane,
            plane)
        .operands(x, op.weight(), wanted.y(), summand, sum, wanted.target())
        .touching(
            Arrays.asList(x, op.weight(), summand), Arrays.asList(wanted.y(), sum, wanted.target()))
        .tasks(op.x().shape().elements() / length);
  }

  /** Turns heads; keys go into the cache as well. */
  private Offer rope(Rope op) {
    KvAppend append = neighbours.partner(op, op.y(), KvAppend.class);
    if (append == null || !append.positions().equals(op.positions())) {
      // By the kernel that also appends, if there is one: so queries and keys are one launch.
      KvAppend other = neighbours.first(KvAppend.class);
      Body body = turning(other == null ? null : other.cache().format());
      return took(turn(List.of(op), body, op, null, op.y()));
    }
    Tensor y = neighbours.onlyFor(op, op.y(), List.of(append)) ? null : op.y();
    Body body = turning(append.cache().format());
    return took(turn(List.of(op, append), body, op, append, y));
  }

  private Offer kvAppend(KvAppend op) {
    return took(turn(List.of(op), turning(op.cache().format()), null, op, null));
  }

  /** The body that turns heads and, if a format is given, puts them into a cache. */
  private static Body turning(@Nullable WeightFormat cache) {
    if (cache == null) {
      return plain("rope", 0);
    }
    String format = FormatSources.lower(cache);
    SortedMap<String, String> macros = new TreeMap<>(Map.of("ENCODE1", format + "_encode1"));
    return new Body("rope_" + format, FormatSources.libraries(cache), "op/rope.clh", macros, 0);
  }

  private Step.Kernel turn(
      List<Op> ops, Body body, @Nullable Rope rope, @Nullable KvAppend append, @Nullable Tensor y) {
    Tensor x = ops.getFirst().reads().getFirst();
    Tensor table = rope == null ? null : rope.table();
    Tensor cache = append == null ? null : append.cache();
    Tensor sequences = append == null ? null : append.sequences();
    Tensor positions = rope != null ? rope.positions() : Objects.requireNonNull(append).positions();
    return StepBuilder.of(ops, body, x)
        .integers(
            x.shape().dim(1),
            x.shape().last(),
            table == null ? 0 : table.shape().dim(1),
            rope != null && rope.pairing() == Rope.Pairing.HALVES ? 1 : 0,
            table == null ? 0 : table.shape().rows(),
            cache == null ? 0 : cache.shape().rows(),
            cache == null ? 0 : cache.shape().dim(1))
        .operands(x, positions, table, y, sequences, cache)
        .touching(Arrays.asList(x, positions, table, sequences), Arrays.asList(y, cache))
        .tasks(geometry.groupsFor(x.shape().elements() / (rope == null ? 1 : 2)));
  }

  private Offer attention(Attention op) {
    WeightFormat format = op.keys().format();
    int size = (int) op.q().shape().last();
    SortedMap<String, String> macros = FormatSources.decoder(format);
    macros.put("SCORES", Integer.toString(SCORES));
    macros.put("CACHE_BYTES", Integer.toString(format.blockBytes()));
    Body body =
        new Body(
            "attention_" + FormatSources.lower(format) + "_" + size,
            FormatSources.libraries(format),
            "op/attention.clh",
            macros,
            4 * (2 * size + SCORES + geometry.group()));
    Attention.Rule rule = op.rule();
    return took(
        StepBuilder.of(op, body, op.q())
            .integers(
                op.q().shape().dim(1),
                size,
                op.keys().shape().dim(2),
                op.keys().shape().rows(),
                op.keys().shape().dim(1),
                rule.window(),
                Float.floatToRawIntBits(rule.scale()),
                Float.floatToRawIntBits(rule.softCap()))
            .operands(
                op.q(), op.keys(), op.values(), op.sequences(), op.positions(), op.y(), op.sinks())
            .tasks(op.q().shape().rows() * op.q().shape().dim(1)));
  }

  private Offer embed(Embed op) {
    WeightFormat format = op.table().format();
    if (!FormatSources.decodes(format)) {
      return FormatSources.noDecoder(format);
    }
    Body body =
        new Body(
            "embed_" + FormatSources.lower(format),
            FormatSources.libraries(format),
            "op/embed.clh",
            FormatSources.decoder(format),
            0);
    return took(
        StepBuilder.of(op, body, op.y())
            .integers(op.y().shape().last(), op.table().rowBytes(), op.table().shape().rows())
            .operands(op.tokens(), op.table(), op.y())
            .tasks(chunks(op.y())));
  }

  private Offer gatherRows(GatherRows op) {
    return took(
        StepBuilder.of(op, plain("gather-rows", 0), op.y())
            .integers(op.x().shape().last(), op.x().shape().rows())
            .operands(op.x(), op.indices(), op.y())
            .tasks(geometry.groupsFor(op.y().shape().elements())));
  }

  private Offer argMax(ArgMax op) {
    return took(
        StepBuilder.of(op, plain("arg-max", 8 * geometry.group(), BEST), op.x())
            .integers(op.x().shape().last())
            .operands(op.x(), op.y())
            .tasks(op.x().shape().rows()));
  }

  private Offer topK(TopK op) {
    return took(
        StepBuilder.of(op, plain("top-k", 8 * geometry.group(), BEST), op.x())
            .integers(op.x().shape().last(), op.values().shape().last())
            .operands(op.x(), op.values(), op.ids())
            .tasks(op.x().shape().rows()));
  }

  // ---- steps

  private static Body plain(String op, int scratchBytes, String... libraries) {
    return new Body(
        op.replace('-', '_'),
        List.of(libraries),
        "op/" + op + ".clh",
        new TreeMap<>(Map.of()),
        scratchBytes);
  }

  /** Work-items of a kernel that does sixteen elements at a time. */
  private long chunks(Tensor tensor) {
    return geometry.groupsFor((tensor.shape().elements() + 15) / 16);
  }

  private static Offer took(Step.Kernel step) {
    return new Offer.Took(List.of(step), step.ops().subList(1, step.ops().size()));
  }
}
