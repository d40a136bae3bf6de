package dev.quern.transformer;

import dev.quern.core.op.Rope;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The model families Quern computes. All of these are one decoder whose blocks follow from the
 * numbers and tensors in the file: biases, norms of queries and keys, fused projections, sinks and
 * experts where the file has them. What a file does not say is here, one entry a family.
 */
final class Families {
  private Families() {}

  /** A norm before each half of a block. */
  private static final ModelConfig.Norms BEFORE =
      new ModelConfig.Norms("attn_norm", null, "ffn_norm", null);

  /** A norm after each half of a block. */
  private static final ModelConfig.Norms AFTER =
      new ModelConfig.Norms(null, "post_attention_norm", null, "post_ffw_norm");

  /** A norm before and after each half of a block. */
  private static final ModelConfig.Norms AROUND =
      new ModelConfig.Norms("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm");

  /** As {@link #BEFORE}; the second norm is named for what it follows. */
  private static final ModelConfig.Norms BEFORE_AND_BETWEEN =
      new ModelConfig.Norms("attn_norm", null, "post_attention_norm", null);

  /** Which blocks have the window that a file gives. */
  private enum Windows {
    /** The file must not give one. */
    NONE,
    /** All, if the file gives one. */
    ALL,
    /** All but every period-th; the file must give one. */
    MOST
  }

  /**
   * What a family fixes that its files do not say.
   *
   * @param architecture {@code general.architecture} in the file
   * @param norms where a block normalises
   * @param activation of the feed-forward
   * @param windows which blocks have a window
   * @param period every so many blocks, one is without window ({@link Windows#MOST})
   * @param turns how positions are embedded
   * @param rooted whether token vectors are multiplied by {@code √hidden}
   * @param largest number of blocks of the one model whose queries are scaled by {@code
   *     √(hidden/heads)} instead of {@code √headSize}, which no key says; 0 for none
   */
  private record Family(
      String architecture,
      ModelConfig.Norms norms,
      Activation activation,
      Windows windows,
      int period,
      RopeKeys.Turns turns,
      boolean rooted,
      int largest) {
    static Family plain(String architecture, Windows windows, RopeKeys.Turns turns) {
      return swish(architecture, BEFORE, windows, turns);
    }

    static Family swish(
        String architecture, ModelConfig.Norms norms, Windows windows, RopeKeys.Turns turns) {
      return new Family(architecture, norms, Activation.SWISH, windows, 1, turns, false, 0);
    }
  }

  private static final RopeKeys.Turns ADJACENT = RopeKeys.Turns.plain(Rope.Pairing.ADJACENT);
  private static final RopeKeys.Turns HALVES = RopeKeys.Turns.plain(Rope.Pairing.HALVES);

  private static final List<Family> FAMILIES =
      List.of(
          Family.plain("llama", Windows.ALL, ADJACENT),
          Family.plain("granite", Windows.NONE, ADJACENT),
          Family.plain("smollm3", Windows.NONE, ADJACENT.absentEvery(4)),
          Family.plain("phi3", Windows.ALL, HALVES),
          Family.plain("qwen2", Windows.NONE, HALVES),
          Family.plain("qwen3", Windows.NONE, HALVES),
          Family.plain("qwen3moe", Windows.NONE, HALVES),
          Family.swish("olmo2", AFTER, Windows.NONE, HALVES),
          new Family("gemma", BEFORE, Activation.GELU, Windows.NONE, 1, HALVES, true, 0),
          new Family("gemma2", AROUND, Activation.GELU, Windows.MOST, 2, HALVES, true, 46),
          new Family(
              "gemma3",
              AROUND,
              Activation.GELU,
              Windows.MOST,
              6,
              HALVES.bases(1_000_000, 10_000),
              true,
              62),
          new Family(
              "gpt-oss",
              BEFORE_AND_BETWEEN,
              Activation.LIMITED_SWISH,
              Windows.MOST,
              2,
              HALVES.withFractionalRamp(),
              false,
              0));

  /** Keys that say nothing the tensors do not. */
  private static final List<String> IN_TENSORS =
      List.of(
          "vocab_size", "feed_forward_length", "expert_feed_forward_length", "tensor_data_layout");

  /** The names of all families. */
  static List<String> names() {
    return FAMILIES.stream().map(Family::architecture).sorted(Comparator.naturalOrder()).toList();
  }

  /**
   * The numbers of a model.
   *
   * @throws ModelException if the family or a key is unknown, or a number is out of range or asks
   *     for something that is not computed
   * @throws dev.quern.gguf.GgufException if a number is missing
   */
  static ModelConfig config(ModelSource source) {
    String architecture = source.metadata().requireString("general.architecture");
    Family family = family(source, architecture);
    ModelKeys keys = new ModelKeys(source, architecture);
    int heads = keys.positive("attention.head_count");
    int hidden = keys.positive("embedding_length");
    int headSize = keys.positive("attention.key_length", hidden / heads);
    if (keys.positive("attention.value_length", headSize) != headSize) {
      throw keys.problem(
          "attention.value_length",
          "must be " + headSize,
          keys.number("attention.value_length", 0));
    }
    int kvHeads = keys.positive("attention.head_count_kv", heads);
    if (heads % kvHeads != 0) {
      throw keys.problem("attention.head_count", "must be a multiple of " + kvHeads, heads);
    }
    int experts = keys.number("expert_count", 0);
    int used = keys.number("expert_used_count", 0);
    if (experts > 0 && (used < 1 || used > experts)) {
      throw keys.problem("expert_used_count", "must be between 1 and " + experts, used);
    }
    keys.require("expert_shared_count", 0);
    keys.require("expert_weights_norm", true);
    ModelConfig config =
        new ModelConfig(
            architecture,
            hidden,
            heads,
            kvHeads,
            headSize,
            keys.positive("context_length"),
            keys.real("attention.layer_norm_rms_epsilon"),
            blocks(source, keys, family, headSize),
            experts,
            used,
            scales(keys, family, hidden, heads, headSize),
            family.norms(),
            family.activation());
    keys.ignore(IN_TENSORS);
    keys.requireAllAsked();
    return config;
  }

  private static List<ModelConfig.BlockConfig> blocks(
      ModelSource source, ModelKeys keys, Family family, int headSize) {
    int window = window(keys, family);
    RopeKeys ropes = RopeKeys.read(source, keys, family.turns(), headSize);
    List<ModelConfig.BlockConfig> blocks = new ArrayList<>();
    for (int number = 1; number <= keys.positive("block_count"); number++) {
      boolean far = family.windows() == Windows.MOST && number % family.period() == 0;
      blocks.add(
          new ModelConfig.BlockConfig(far ? 0 : window, ropes.block(number, far || window == 0)));
    }
    return blocks;
  }

  private static int window(ModelKeys keys, Family family) {
    return switch (family.windows()) {
      case NONE -> {
        keys.require("attention.sliding_window", 0);
        yield 0;
      }
      case ALL -> Math.max(0, keys.number("attention.sliding_window", 0));
      case MOST -> {
        keys.require("attention.sliding_window_pattern", family.period());
        yield keys.positive("attention.sliding_window");
      }
    };
  }

  private static ModelConfig.Scales scales(
      ModelKeys keys, Family family, int hidden, int heads, int headSize) {
    boolean largest = keys.positive("block_count") == family.largest();
    double width = largest ? (double) hidden / heads : headSize;
    return new ModelConfig.Scales(
        keys.real("embedding_scale", family.rooted() ? (float) Math.sqrt(hidden) : 1),
        keys.real("residual_scale", 1),
        1 / keys.real("logit_scale", 1),
        keys.real("final_logit_softcapping", 0),
        keys.real("attention.scale", (float) (1 / Math.sqrt(width))),
        keys.real("attn_logit_softcapping", 0));
  }

  /** Which elements of a head rotate together in the files of a family. */
  static Rope.Pairing pairing(String architecture) {
    return FAMILIES.stream()
        .filter(family -> family.architecture().equals(architecture))
        .map(family -> family.turns().pairing())
        .findFirst()
        .orElseThrow(() ->
            new ModelException(
                "architecture: must be one of %s but is %s".formatted(names(), architecture)));
  }

  private static Family family(ModelSource source, String architecture) {
    return FAMILIES.stream()
        .filter(family -> family.architecture().equals(architecture))
        .findFirst()
        .orElseThrow(() ->
            new ModelException(
                "%s: architecture must be one of %s but is %s"
                    .formatted(source.name(), names(), architecture)));
  }
}
