package dev.quern.transformer;

import dev.quern.core.op.Rope;
import dev.quern.gguf.GgufMetadata;
import java.util.Comparator;
import java.util.List;

/**
 * The model families Quern computes. All of these are one decoder whose blocks follow from the
 * numbers and tensors in the file: biases, norms of queries and keys, and experts where the file
 * has them. What a file does not say is here, one line a family.
 */
final class Families {
  private Families() {}

  /**
   * What a family fixes that its files do not say.
   *
   * @param architecture {@code general.architecture} in the file
   * @param pairing which elements of a head rotate together
   */
  private record Family(String architecture, Rope.Pairing pairing) {}

  private static final List<Family> FAMILIES =
      List.of(
          new Family("llama", Rope.Pairing.ADJACENT),
          new Family("qwen2", Rope.Pairing.HALVES),
          new Family("qwen3", Rope.Pairing.HALVES),
          new Family("qwen3moe", Rope.Pairing.HALVES));

  /**
   * The numbers of a model.
   *
   * @throws ModelException if the family is unknown, or a number is out of range or asks for
   *     something that is not computed
   * @throws dev.quern.gguf.GgufException if a number is missing
   */
  static ModelConfig config(ModelSource source) {
    GgufMetadata metadata = source.metadata();
    String architecture = metadata.requireString("general.architecture");
    Family family = family(source, architecture);
    Keys keys = new Keys(source, metadata, architecture);
    int heads = keys.positive("attention.head_count");
    int hidden = keys.positive("embedding_length");
    int headSize = keys.positive("attention.key_length", hidden / heads);
    keys.require("attention.value_length", headSize, headSize);
    int kvHeads = keys.positive("attention.head_count_kv", heads);
    if (heads % kvHeads != 0) {
      throw keys.problem("attention.head_count", "must be a multiple of " + kvHeads, heads);
    }
    keys.require("attention.sliding_window", 0, 0);
    keys.require("expert_shared_count", 0, 0);
    int experts = keys.number("expert_count", 0);
    int used = keys.number("expert_used_count", 0);
    if (experts > 0 && (used < 1 || used > experts)) {
      throw keys.problem("expert_used_count", "must be between 1 and " + experts, used);
    }
    return new ModelConfig(
        architecture,
        keys.positive("block_count"),
        hidden,
        heads,
        kvHeads,
        headSize,
        keys.positive("context_length"),
        metadata.requireFloat(architecture + ".attention.layer_norm_rms_epsilon"),
        rope(keys, family, headSize),
        experts,
        used);
  }

  private static ModelConfig.RopeConfig rope(Keys keys, Family family, int headSize) {
    int dimensions = keys.positive("rope.dimension_count", headSize);
    if (dimensions % 2 != 0 || dimensions > headSize) {
      throw keys.problem(
          "rope.dimension_count", "must be even and at most " + headSize, dimensions);
    }
    String scaling = keys.text("rope.scaling.type", "none");
    float factor = keys.real("rope.scaling.factor", 1);
    boolean linear = scaling.equals("linear");
    if (!linear && !scaling.equals("none")) {
      throw keys.problem("rope.scaling.type", "must be none or linear", scaling);
    }
    return new ModelConfig.RopeConfig(
        keys.real("rope.freq_base", 10_000), dimensions, linear ? factor : 1, family.pairing());
  }

  private static Family family(ModelSource source, String architecture) {
    return FAMILIES.stream()
        .filter(family -> family.architecture().equals(architecture))
        .findFirst()
        .orElseThrow(() ->
            new ModelException(
                "%s: architecture must be one of %s but is %s"
                    .formatted(
                        source.name(),
                        FAMILIES.stream()
                            .map(Family::architecture)
                            .sorted(Comparator.naturalOrder())
                            .toList(),
                        architecture)));
  }

  /** The numbers under an architecture's prefix. */
  private record Keys(ModelSource source, GgufMetadata metadata, String architecture) {
    int number(String key, int otherwise) {
      return metadata.findInt(architecture + "." + key).orElse(otherwise);
    }

    int positive(String key) {
      int value = metadata.requireInt(architecture + "." + key);
      if (value < 1) {
        throw problem(key, "must be positive", value);
      }
      return value;
    }

    int positive(String key, int otherwise) {
      return metadata.contains(architecture + "." + key) ? positive(key) : otherwise;
    }

    float real(String key, float otherwise) {
      return metadata.findFloat(architecture + "." + key).orElse(otherwise);
    }

    String text(String key, String otherwise) {
      return metadata.findString(architecture + "." + key).orElse(otherwise);
    }

    /** The one value that is computed. */
    void require(String key, int value, int otherwise) {
      int actual = number(key, otherwise);
      if (actual != value) {
        throw problem(key, "must be " + value, actual);
      }
    }

    ModelException problem(String key, String rule, Object actual) {
      return new ModelException(
          "%s: %s.%s %s but is %s".formatted(source.name(), architecture, key, rule, actual));
    }
  }
}
