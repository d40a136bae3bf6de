package dev.quern.transformer;

import dev.quern.core.op.Rope;

/**
 * The numbers of a decoder model, whatever its family.
 *
 * @param architecture the family's name in the file
 * @param layers number of blocks
 * @param hidden width of the residual stream
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headSize width of a head
 * @param context positions the model was trained for
 * @param epsilon of every norm
 * @param rope position embedding
 * @param experts number of experts in a block; 0 where the feed-forward is dense
 * @param expertsUsed experts that a row goes through
 */
public record ModelConfig(
    String architecture,
    int layers,
    int hidden,
    int heads,
    int kvHeads,
    int headSize,
    int context,
    float epsilon,
    RopeConfig rope,
    int experts,
    int expertsUsed) {
  /**
   * How positions are embedded.
   *
   * @param base of the inverse frequencies
   * @param dimensions elements of a head that rotate
   * @param scale positions are divided by this
   * @param pairing which elements rotate together
   */
  public record RopeConfig(float base, int dimensions, float scale, Rope.Pairing pairing) {}
}
