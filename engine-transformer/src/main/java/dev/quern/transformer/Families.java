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

  /**
   * Which blocks have the window that a file gives.
   *
   * @param period every so many blocks, one has none, where the file does not say otherwise; 1 for
   *     a family whose files give no windows, 0 for one where every block has it
   * @param size of the window where the file gives none; 0 for none
   */
  private record Windows(int period, int size) {
    static final Windows NONE = new Windows(1, 0);
    static final Windows ALL = new Windows(0, 0);

    /** The window of each block. */
    List<Integer> of(ModelKeys keys, int blocks) {
      if (period == 1) {
        keys.require("attention.sliding_window", 0);
      }
      int found = Math.max(0, keys.number("attention.sliding_window", size));
      List<Boolean> near = keys.pattern("attention.sliding_window_pattern", period, blocks);
      return near.stream().map(one -> one ? found : 0).toList();
    }
  }

  /**
   * Bounds where the file does not give them; 0 for none.
   *
   * @param logits of the logits
   * @param attention of the products of query and key
   */
  private record Caps(float logits, float attention) {
    static final Caps NONE = new Caps(0, 0);
  }

  /**
   * What a family fixes that its files do not say.
   *
   * @param architecture {@code general.architecture} in the file
   * @param norms where a block normalises
   * @param activation of the feed-forward
   * @param windows which blocks have a window
   * @param turns how positions are embedded
   * @param rooted whether token vectors are multiplied by {@code √hidden}
   * @param largest number of blocks of the one model whose queries are scaled by {@code
   *     √(hidden/heads)} instead of {@code √headSize}, which no key says; 0 for none
   * @param caps bounds
   */
  private record Family(
      String architecture,
      ModelConfig.Norms norms,
      Activation activation,
      Windows windows,
      RopeKeys.Turns turns,
      boolean rooted,
      int largest,
      Caps caps) {
    static Family plain(String architecture, Windows windows, RopeKeys.Turns turns) {
      return swish(architecture, BEFORE, windows, turns);
    }

    static Family swish(
        String architecture, ModelConfig.Norms norms, Windows windows, RopeKeys.Turns turns) {
      return new Family(architecture, norms, Activation.SWISH, windows, turns, false, 0, Caps.NONE);
    }

    static Family gemma(
        String architecture, ModelConfig.Norms norms, Windows windows, RopeKeys.Turns turns) {
      return new Family(architecture, norms, Activation.GELU, windows, turns, true, 0, Caps.NONE);
    }

    Family withLargest(int blocks) {
      return new Family(architecture, norms, activation, windows, turns, rooted, blocks, caps);
    }

    Family withCaps(float logits, float attention) {
      return new Family(
          architecture,
          norms,
          activation,
          windows,
          turns,
          rooted,
          largest,
          new Caps(logits, attention));
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
          // windows are OLMo 3's, which files call olmo2 too
          Family.swish("olmo2", AFTER, new Windows(4, 0), HALVES.plainNear(0)),
          Family.gemma("gemma", BEFORE, Windows.NONE, HALVES),
          Family.gemma("gemma2", AROUND, new Windows(2, 4096), HALVES)
              .withLargest(46)
              .withCaps(30, 50),
          Family.gemma(
                  "gemma3", AROUND, new Windows(6, 0), HALVES.withBase(1_000_000).plainNear(10_000))
              .withLargest(62),
          new Family(
              "gpt-oss",
              BEFORE_AND_BETWEEN,
              Activation.LIMITED_SWISH,
              new Windows(2, 128),
              HALVES.withFractionalRamp(),
              false,
              0,
              Caps.NONE));

  /** Keys that say nothing the tensors do not, or nothing of the logits. */
  private static final List<String> IN_TENSORS =
      List.of(
          "vocab_size",
          "feed_forward_length",
          "expert_feed_forward_length",
          "tensor_data_layout",
          "pooling_type");

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
    int headSize = keys.positive("attention.key_length", Math.max(1, hidden / heads));
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
    keys.require("attention.causal", true);
    requireSoftmax(keys);
    ModelConfig config =
        new ModelConfig(
            architecture,
            hidden,
            heads,
            kvHeads,
            headSize,
            keys.positive("context_length"),
            epsilon(keys),
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

  private static float epsilon(ModelKeys keys) {
    String key = "attention.layer_norm_rms_epsilon";
    float epsilon = keys.real(key);
    if (epsilon < 0) {
      throw keys.problem(key, "must not be negative", epsilon);
    }
    return epsilon;
  }

  /** A softmax over all experts, normalised over the chosen, is the softmax of the chosen. */
  private static void requireSoftmax(ModelKeys keys) {
    int softmax = 1;
    int softmaxOfChosen = 3;
    int gating = keys.number("expert_gating_func", softmax);
    if (gating != softmax && gating != softmaxOfChosen) {
      throw keys.problem("expert_gating_func", "must be 1 or 3, a softmax,", gating);
    }
    keys.require("expert_weights_scale", 1f);
  }

  private static List<ModelConfig.BlockConfig> blocks(
      ModelSource source, ModelKeys keys, Family family, int headSize) {
    int count = keys.positive("block_count");
    // a cache is made for each block before its tensors are looked for
    if (source.weights().stream().noneMatch(w -> w.name().startsWith("blk." + (count - 1) + "."))) {
      throw keys.problem("block_count", "must be the number of blocks that have tensors", count);
    }
    List<Integer> windows = family.windows().of(keys, count);
    RopeKeys ropes = RopeKeys.read(source, keys, family.turns(), headSize);
    List<ModelConfig.BlockConfig> blocks = new ArrayList<>();
    for (int block = 0; block < count; block++) {
      int window = windows.get(block);
      blocks.add(new ModelConfig.BlockConfig(window, ropes.block(block + 1, window == 0)));
    }
    return blocks;
  }

  private static ModelConfig.Scales scales(
      ModelKeys keys, Family family, int hidden, int heads, int headSize) {
    boolean largest = keys.positive("block_count") == family.largest();
    double width = largest ? (double) hidden / heads : headSize;
    return new ModelConfig.Scales(
        keys.real("embedding_scale", family.rooted() ? (float) Math.sqrt(hidden) : 1),
        keys.real("residual_scale", 1),
        1 / keys.real("logit_scale", 1),
        keys.real("final_logit_softcapping", family.caps().logits()),
        keys.real("attention.scale", (float) (1 / Math.sqrt(width))),
        keys.real("attn_logit_softcapping", family.caps().attention()));
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
