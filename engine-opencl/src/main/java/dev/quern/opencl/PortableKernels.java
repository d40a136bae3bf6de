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
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

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

  private final Geometry geometry;

  PortableKernels(Geometry geometry) {
    this.geometry = geometry;
  }

  List<KernelRow<?>> rows() {
    return List.of(
        new KernelRow<>("matmul", Projection.class, this::projection),
        new KernelRow<>("expert-matmul", ExpertMatMul.class, this::expertMatMul),
        new KernelRow<>("expert-sum", ExpertSum.class, this::expertSum),
        new KernelRow<>("swish", Swish.class, this::swish),
        new KernelRow<>("pointwise", Pointwise.class, this::pointwise),
        new KernelRow<>(
            "mul", Mul.class, op -> elementwise(op, "mul", "*", op.a(), op.b(), op.y())),
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

  private Offer swish(Swish op) {
    return took(
        StepBuilder.of(op, plain("swish", 0), op.x())
            .integers(op.x().shape().rowElements())
            .operands(op.x(), op.y())
            .tasks(chunks(op.x())));
  }

  private Offer pointwise(Pointwise op) {
    return switch (op.function()) {
      case Pointwise.Function.Gelu gelu ->
          pointwise(
              op,
              "gelu",
              "((v) / (1.0f + exp(-1.59576912f * ((v) + 0.044715f * (v) * (v) * (v)))))",
              0,
              0);
      case Pointwise.Function.SoftCap(float cap) ->
          pointwise(op, "soft_cap", "(HIGH * tanh((v) / HIGH))", 0, cap);
      case Pointwise.Function.Clamp(float low, float high) ->
          pointwise(op, "clamp", "min(max((v), LOW), HIGH)", low, high);
    };
  }

  private Offer pointwise(Pointwise op, String name, String formula, float low, float high) {
    SortedMap<String, String> macros = new TreeMap<>(Map.of("APPLY(v)", formula));
    Body body = new Body(name, List.of(), "op/pointwise.clh", macros, 0);
    return took(
        StepBuilder.of(op, body, op.x())
            .integers(
                op.x().shape().rowElements(),
                Float.floatToRawIntBits(low),
                Float.floatToRawIntBits(high))
            .operands(op.x(), op.y())
            .tasks(chunks(op.x())));
  }

  private Offer elementwise(Op op, String name, String sign, Tensor a, Tensor b, Tensor y) {
    SortedMap<String, String> macros = new TreeMap<>();
    macros.put("APPLY(a, b)", "((a) " + sign + " (b))");
    Body body = new Body(name, List.of(), "op/elementwise.clh", macros, 0);
    long repeat = b.shape().equals(a.shape()) ? 0 : b.shape().elements();
    return took(
        StepBuilder.of(op, body, a)
            .integers(a.shape().rowElements(), repeat)
            .operands(a, b, y)
            .tasks(chunks(a)));
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
    long length = op.x().shape().last();
    return took(
        StepBuilder.of(op, plain("rms-norm", 4 * geometry.group()), op.x())
            .integers(
                op.x().shape().rowElements() / length,
                length,
                Float.floatToRawIntBits(op.epsilon()))
            .operands(op.x(), op.weight(), op.y())
            .tasks(op.x().shape().elements() / length));
  }

  private Offer rope(Rope op) {
    return took(
        StepBuilder.of(op, plain("rope", 0), op.x())
            .integers(
                op.x().shape().dim(1),
                op.x().shape().last(),
                op.table().shape().dim(1),
                op.pairing() == Rope.Pairing.HALVES ? 1 : 0,
                op.table().shape().rows())
            .operands(op.x(), op.positions(), op.table(), op.y())
            .tasks(geometry.groupsFor(op.x().shape().elements() / 2)));
  }

  private Offer kvAppend(KvAppend op) {
    WeightFormat format = op.cache().format();
    SortedMap<String, String> macros = new TreeMap<>();
    macros.put("ENCODE1", FormatSources.lower(format) + "_encode1");
    Body body =
        new Body(
            "kv_append_" + FormatSources.lower(format),
            FormatSources.libraries(format),
            "op/kv-append.clh",
            macros,
            0);
    return took(
        StepBuilder.of(op, body, op.x())
            .integers(
                op.x().shape().rowElements(), op.cache().shape().rows(), op.cache().shape().dim(1))
            .operands(op.x(), op.sequences(), op.positions(), op.cache())
            .tasks(geometry.groupsFor(op.x().shape().elements())));
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
    return new Offer.Took(List.of(step));
  }
}
