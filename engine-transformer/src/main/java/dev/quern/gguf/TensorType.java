package dev.quern.gguf;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.util.List;
import java.util.Optional;

/**
 * The geometry of a tensor type: what a reader needs to find a tensor's end, whether or not Quern
 * can compute with it.
 */
record TensorType(int id, String name, int blockElements, int blockBytes) {
  /**
   * Types of ggml that Quern does not compute with (or not yet: a format that gains a {@link
   * WeightFormat} leaves this list).
   */
  private static final List<TensorType> OTHERS =
      List.of(
          new TensorType(9, "Q8_1", 32, 36),
          new TensorType(16, "IQ2_XXS", 256, 66),
          new TensorType(17, "IQ2_XS", 256, 74),
          new TensorType(18, "IQ3_XXS", 256, 98),
          new TensorType(19, "IQ1_S", 256, 50),
          new TensorType(21, "IQ3_S", 256, 110),
          new TensorType(22, "IQ2_S", 256, 82),
          new TensorType(24, "I8", 1, 1),
          new TensorType(25, "I16", 1, 2),
          new TensorType(27, "I64", 1, 8),
          new TensorType(28, "F64", 1, 8),
          new TensorType(29, "IQ1_M", 256, 56),
          new TensorType(40, "NVFP4", 64, 36),
          new TensorType(41, "Q1_0", 128, 18),
          new TensorType(42, "Q2_0", 64, 18));

  /** The type with this id in files. */
  static Optional<TensorType> byId(int id) {
    Optional<WeightFormat> known = WeightFormats.byGgufId(id);
    if (known.isPresent()) {
      WeightFormat format = known.get();
      return Optional.of(
          new TensorType(id, format.name(), format.blockElements(), format.blockBytes()));
    }
    return OTHERS.stream().filter(type -> type.id == id).findFirst();
  }
}
