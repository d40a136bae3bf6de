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
   * @param near what is different in blocks with a window
   * @param absentEvery every so many blocks, one has no position embedding; 0 for none
   * @param wholePairs whether the ramp of YaRN begins and ends at whole pairs
   */
  record Turns(Rope.Pairing pairing, float base, Near near, int absentEvery, boolean wholePairs) {
    static Turns plain(Rope.Pairing pairing) {
      return new Turns(pairing, 10_000, new Near(0, true), 0, true);
    }

    Turns absentEvery(int blocks) {
      return new Turns(pairing, base, near, blocks, wholePairs);
    }

    Turns withBase(float ofAll) {
      return new Turns(pairing, ofAll, near, absentEvery, wholePairs);
    }

    Turns plainNear(float ofNear) {
      return new Turns(pairing, base, new Near(ofNear, false), absentEvery, wholePairs);
    }

    Turns withFractionalRamp() {
      return new Turns(pairing, base, near, absentEvery, false);
    }
  }

  /**
   * Of blocks with a window.
   *
   * @param base of their inverse frequencies where the file does not say; 0 for that of the others
   * @param scaled whether they are scaled for long contexts as the others are
   */
  record Near(float base, boolean scaled) {}

  static RopeKeys read(ModelSource source, ModelKeys keys, Turns turns, int headSize) {
    int dimensions = keys.positive("rope.dimension_count", headSize);
    if (dimensions % 2 != 0 || dimensions > headSize) {
      throw keys.problem(
          "rope.dimension_count", "must be even and at most " + headSize, dimensions);
    }
    float base = keys.real("rope.freq_base", turns.base());
    RopeConfig far =
        new RopeConfig(base, dimensions, turns.pairing(), scaling(source, keys, turns));
    Near near = turns.near();
    float nearBase = keys.real("rope.freq_base_swa", near.base() == 0 ? base : near.base());
    RopeConfig.Scaling scaling = near.scaled() ? far.scaling() : new RopeConfig.Scaling.Linear(1);
    return new RopeKeys(turns, far, new RopeConfig(nearBase, dimensions, turns.pairing(), scaling));
  }

  /** The position embedding of block {@code number}, counted from 1, or null for none. */
  @Nullable RopeConfig block(int number, boolean seesAll) {
    boolean absent = turns.absentEvery() > 0 && number % turns.absentEvery() == 0;
    return absent ? null : seesAll ? far : near;
  }

  private static RopeConfig.Scaling scaling(ModelSource source, ModelKeys keys, Turns turns) {
    // The format's default: files of before the key was there give the factor alone.
    String type = keys.text("rope.scaling.type", "linear");
    float given = keys.real("rope.scaling.factor", keys.real("rope.scale_linear", 1));
    float factor = given == 0 ? 1 : given;
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
      case "yarn" -> yarn(keys, turns, factor, original);
      default -> throw keys.problem("rope.scaling.type", "must be none, linear or yarn", type);
    };
  }

  private static RopeConfig.Scaling yarn(ModelKeys keys, Turns turns, float factor, int original) {
    keys.require("rope.scaling.yarn_ext_factor", 1f);
    float magnitude = factor <= 1 ? 1 : (float) (0.1 * Math.log(factor) + 1);
    return new RopeConfig.Scaling.Yarn(
        factor,
        original,
        keys.real("rope.scaling.yarn_beta_fast", 32),
        keys.real("rope.scaling.yarn_beta_slow", 1),
        turns.wholePairs(),
        keys.real("rope.scaling.yarn_attn_factor", magnitude)
            * keys.real("rope.scaling.attn_factor", 1));
  }

  /** {@code √(1 + ln(s) / ln(context))} for a context that grew s-fold, as LongRoPE suggests. */
  private static float magnitude(int grown, int original) {
    double growth = (double) grown / original;
    return growth <= 1 ? 1 : (float) Math.sqrt(1 + Math.log(growth) / Math.log(original));
  }
}
