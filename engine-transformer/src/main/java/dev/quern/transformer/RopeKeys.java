package dev.quern.transformer;

import dev.quern.core.op.Rope;
import org.jspecify.annotations.Nullable;

/**
 * The position embeddings of a model's blocks, read from its keys.
 *
 * @param turns what the family fixes
 * @param far of blocks that see all positions
 * @param near of blocks with a window
 */
record RopeKeys(Turns turns, RopeConfig far, RopeConfig near) {
  /**
   * What a family fixes that its files do not say.
   *
   * @param pairing which elements of a head rotate together
   * @param base of the inverse frequencies where the file does not say
   * @param nearBase likewise for blocks with a window, which then are not scaled; 0 where they are
   *     as the others
   * @param absentEvery every so many blocks, one has no position embedding; 0 for none
   * @param wholePairs whether the ramp of YaRN begins and ends at whole pairs
   */
  record Turns(
      Rope.Pairing pairing, float base, float nearBase, int absentEvery, boolean wholePairs) {
    static Turns plain(Rope.Pairing pairing) {
      return new Turns(pairing, 10_000, 0, 0, true);
    }

    Turns absentEvery(int blocks) {
      return new Turns(pairing, base, nearBase, blocks, wholePairs);
    }

    Turns bases(float far, float near) {
      return new Turns(pairing, far, near, absentEvery, wholePairs);
    }

    Turns withFractionalRamp() {
      return new Turns(pairing, base, nearBase, absentEvery, false);
    }
  }

  static RopeKeys read(ModelSource source, ModelKeys keys, Turns turns, int headSize) {
    int dimensions = keys.positive("rope.dimension_count", headSize);
    if (dimensions % 2 != 0 || dimensions > headSize) {
      throw keys.problem(
          "rope.dimension_count", "must be even and at most " + headSize, dimensions);
    }
    float base = keys.real("rope.freq_base", turns.base());
    RopeConfig far =
        new RopeConfig(base, dimensions, turns.pairing(), scaling(source, keys, turns));
    if (turns.nearBase() == 0) {
      return new RopeKeys(turns, far, far);
    }
    float nearBase = keys.real("rope.freq_base_swa", turns.nearBase());
    RopeConfig.Scaling none = new RopeConfig.Scaling.Linear(1);
    return new RopeKeys(turns, far, new RopeConfig(nearBase, dimensions, turns.pairing(), none));
  }

  /** The position embedding of block {@code number}, counted from 1, or null for none. */
  @Nullable RopeConfig block(int number, boolean seesAll) {
    boolean absent = turns.absentEvery() > 0 && number % turns.absentEvery() == 0;
    return absent ? null : seesAll ? far : near;
  }

  private static RopeConfig.Scaling scaling(ModelSource source, ModelKeys keys, Turns turns) {
    String type = keys.text("rope.scaling.type", "none");
    float factor = keys.real("rope.scaling.factor", 1);
    int original =
        keys.positive("rope.scaling.original_context_length", keys.positive("context_length"));
    keys.require("rope.scaling.finetuned", true);
    if (source.weights().stream().anyMatch(w -> w.name().equals("rope_factors_long.weight"))) {
      float magnitude = magnitude(keys.positive("context_length"), original);
      return new RopeConfig.Scaling.LongRope(
          original, keys.real("rope.scaling.attn_factor", magnitude));
    }
    return switch (type) {
      case "none" -> new RopeConfig.Scaling.Linear(1);
      case "linear" -> new RopeConfig.Scaling.Linear(factor);
      case "yarn" ->
          new RopeConfig.Scaling.Yarn(
              factor,
              original,
              keys.real("rope.scaling.yarn_beta_fast", 32),
              keys.real("rope.scaling.yarn_beta_slow", 1),
              turns.wholePairs());
      default -> throw keys.problem("rope.scaling.type", "must be none, linear or yarn", type);
    };
  }

  /** {@code √(1 + ln(s) / ln(context))} for a context that grew s-fold, as LongRoPE suggests. */
  private static float magnitude(int grown, int original) {
    double growth = (double) grown / original;
    return growth <= 1 ? 1 : (float) Math.sqrt(1 + Math.log(growth) / Math.log(original));
  }
}
