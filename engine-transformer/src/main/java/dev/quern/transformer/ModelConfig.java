package dev.quern.transformer;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The numbers of a decoder model, whatever its family.
 *
 * @param architecture the family's name in the file
 * @param hidden width of the residual stream
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headSize width of a head
 * @param context positions the model was trained for
 * @param epsilon of every norm
 * @param blocks what differs from block to block
 * @param experts number of experts in a block; 0 where the feed-forward is dense
 * @param expertsUsed experts that a row goes through
 * @param scales factors and bounds
 * @param norms where a block normalises
 * @param activation of the feed-forward
 */
public record ModelConfig(
    String architecture,
    int hidden,
    int heads,
    int kvHeads,
    int headSize,
    int context,
    float epsilon,
    List<BlockConfig> blocks,
    int experts,
    int expertsUsed,
    Scales scales,
    Norms norms,
    Activation activation) {
  public ModelConfig {
    blocks = List.copyOf(blocks);
  }

  /** Number of blocks. */
  public int layers() {
    return blocks.size();
  }

  /**
   * The attention of one block.
   *
   * @param window how many positions a row sees, its own included; 0 for all
   * @param rope position embedding, or null for none
   */
  public record BlockConfig(int window, @Nullable RopeConfig rope) {}

  /**
   * Factors and bounds.
   *
   * @param embedding factor of the token's vector
   * @param residual factor of what a half of a block adds
   * @param logits factor of the logits
   * @param logitCap bound of the logits; 0 for none
   * @param attention factor of the product of query and key
   * @param attentionCap bound of that product; 0 for none
   */
  public record Scales(
      float embedding,
      float residual,
      float logits,
      float logitCap,
      float attention,
      float attentionCap) {}

  /**
   * The tensors that normalise, without the block's prefix and {@code .weight}; null for none.
   *
   * @param attention what enters attention
   * @param afterAttention what attention adds
   * @param feedForward what enters the feed-forward
   * @param afterFeedForward what the feed-forward adds
   */
  public record Norms(
      @Nullable String attention,
      @Nullable String afterAttention,
      @Nullable String feedForward,
      @Nullable String afterFeedForward) {}
}
