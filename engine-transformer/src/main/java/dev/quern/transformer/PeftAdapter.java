package dev.quern.transformer;

import dev.quern.core.op.Rope;
import dev.quern.gguf.GgufMetadata;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Adapters as PEFT saves them: safetensors, and {@code adapter_config.json} beside them. */
final class PeftAdapter {
  private static final System.Logger LOG = System.getLogger(PeftAdapter.class.getName());

  private static final Pattern TENSOR =
      Pattern.compile(
          "(?:base_model\\.model\\.)?(?:model\\.layers\\.(\\d+)\\.)?([a-z_.]+?)"
              + "\\.lora_([AB])(?:\\.default)?\\.weight");

  /** Names of projections in PEFT and in GGUF files. */
  private static final Map<String, String> PROJECTIONS =
      Map.ofEntries(
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.qkv_proj", "attn_qkv"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.gate_up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"));

  /** Settings that change the meaning of the factors, with the value that is computed. */
  private static final Map<String, List<Object>> PLAIN =
      Map.of(
          "fan_in_fan_out", List.of(false),
          "use_dora", List.of(false),
          "bias", List.of("none"),
          "rank_pattern", List.of(Map.of()),
          "alpha_pattern", List.of(Map.of()));

  private PeftAdapter() {}

  static Lora read(Path file, GgufMetadata model) throws IOException {
    Safetensors tensors = Safetensors.read(file);
    try {
      return of(file, tensors, model);
    } catch (RuntimeException | IOException | Error e) {
      tensors.close();
      throw e;
    }
  }

  private static Lora of(Path file, Safetensors tensors, GgufMetadata model) throws IOException {
    Map<String, ModelSource.Weight> a = new HashMap<>();
    Map<String, ModelSource.Weight> b = new HashMap<>();
    for (ModelSource.Weight tensor : tensors.weights()) {
      Matcher name = TENSOR.matcher(tensor.name());
      if (!name.matches()) {
        throw new ModelException(
            "%s: every tensor must be a factor of a known projection but one is %s"
                .formatted(file, tensor.name()));
      }
      (name.group(3).equals("A") ? a : b).put(projection(file, name), tensor);
    }
    if (!a.keySet().equals(b.keySet())) {
      throw new ModelException(
          "%s: every lora_A must have a lora_B but they are of %s and %s"
              .formatted(file, a.keySet(), b.keySet()));
    }
    Scale scale = Scale.of(file);
    int heads = adjacent(model);
    Map<String, Lora.Factors> factors = new HashMap<>();
    b.forEach((name, factor) ->
        factors.put(
            name,
            new Lora.Factors(
                Objects.requireNonNull(a.get(name)),
                ordered(name, factor, model, heads),
                scale.of(factor))));
    return new Lora(file.toString(), factors, tensors::close);
  }

  private static String projection(Path file, Matcher name) {
    if (name.group(1) == null && name.group(2).equals("lm_head")) {
      return "output";
    }
    String known = PROJECTIONS.get(name.group(2));
    if (name.group(1) == null || known == null) {
      throw new ModelException(
          "%s: projection must be one of %s of a layer, or lm_head, but is %s"
              .formatted(file, PROJECTIONS.keySet().stream().sorted().toList(), name.group()));
    }
    return "blk." + name.group(1) + "." + known;
  }

  /** The query heads of a family whose files pair adjacent elements, else 0. */
  private static int adjacent(GgufMetadata model) {
    String architecture = model.requireString("general.architecture");
    return Families.pairing(architecture) == Rope.Pairing.ADJACENT
        ? model.requireInt(architecture + ".attention.head_count")
        : 0;
  }

  /**
   * Rows {@code i} and {@code i + size/2} of each head become rows {@code 2i} and {@code 2i + 1},
   * where files hold queries and keys in that order.
   */
  private static ModelSource.Weight ordered(
      String name, ModelSource.Weight b, GgufMetadata model, int queryHeads) {
    boolean query = name.endsWith(".attn_q");
    if (queryHeads == 0 || !(query || name.endsWith(".attn_k"))) {
      return b;
    }
    String architecture = model.requireString("general.architecture");
    int heads =
        query
            ? queryHeads
            : model.findInt(architecture + ".attention.head_count_kv").orElse(queryHeads);
    if (b.shape().rank() != 2 || b.shape().rows() % (2L * heads) != 0) {
      throw new ModelException(
          "%s: must be a matrix with an even number of rows for each of %d heads but is %s"
              .formatted(b.name(), heads, b.shape()));
    }
    long rowBytes = b.data().byteSize() / b.shape().rows();
    int size = Math.toIntExact(b.shape().rows() / heads);
    byte[] rows = b.data().toArray(ValueLayout.JAVA_BYTE);
    MemorySegment from = MemorySegment.ofArray(rows);
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < size; i++) {
        long to = (long) head * size + 2L * (i % (size / 2)) + i / (size / 2);
        MemorySegment.copy(
            from, ((long) head * size + i) * rowBytes, b.data(), to * rowBytes, rowBytes);
      }
    }
    return b;
  }

  /** Alpha, and how it is divided. */
  private record Scale(float alpha, boolean byRoot) {
    static Scale of(Path file) throws IOException {
      Path config = file.resolveSibling("adapter_config.json");
      if (!Files.exists(config)) {
        LOG.log(
            System.Logger.Level.WARNING,
            "{0}: adapter_config.json must be beside it but is not; alpha is taken to be twice the"
                + " rank",
            file);
        return new Scale(Float.NaN, false);
      }
      Map<String, Object> values = MiniJson.object(config.toString(), Files.readString(config));
      PLAIN.forEach((key, allowed) -> {
        Object value = values.get(key);
        if (value != null && !allowed.contains(value)) {
          throw new ModelException(
              "%s: %s must be %s but is %s".formatted(config, key, allowed.getFirst(), value));
        }
      });
      if (!(values.get("lora_alpha") instanceof Number alpha)) {
        throw new ModelException("%s: must have a number lora_alpha but has not".formatted(config));
      }
      return new Scale(alpha.floatValue(), Boolean.TRUE.equals(values.get("use_rslora")));
    }

    float of(ModelSource.Weight b) {
      float rank = b.shape().last();
      float known = Float.isNaN(alpha) ? 2 * rank : alpha;
      return known / (byRoot ? (float) Math.sqrt(rank) : rank);
    }
  }
}
