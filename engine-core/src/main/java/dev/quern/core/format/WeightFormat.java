package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How numbers are stored: the geometry of a block, its id in GGUF files, and the scalar decoder
 * that <em>defines</em> what the bytes mean. Every other decoder is tested against it, and it
 * against golden blocks.
 *
 * <p>A new format is one record that implements this interface and one line in {@link
 * WeightFormats}; backends run it through {@link #decode} until they have kernels of their own. The
 * layouts of blocks are those of ggml.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">GGUF</a>, and <a
 *     href="https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h">the blocks of ggml</a>
 */
public interface WeightFormat {
  /** Little-endian f16 bits at any address. */
  ValueLayout.OfShort F16_BITS =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Little-endian 32 bits at any address. */
  ValueLayout.OfInt I32_BITS = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Little-endian float32 at any address. */
  ValueLayout.OfFloat F32_BITS =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The name used in GGUF tools, for example {@code Q4_K}. */
  String name();

  /** The tensor type id in GGUF files. */
  int ggufId();

  /** Elements in a block; 1 for formats without blocks. */
  int blockElements();

  /** Bytes of a block. */
  int blockBytes();

  /** Which projection operation takes weights of this format. */
  Product product();

  /**
   * Decodes one block: {@code target[at + i]} for every element {@code i} of the block.
   *
   * @param source the stored bytes
   * @param offset where the block starts; no alignment is assumed
   * @param target receives {@link #blockElements} values
   * @param at index of the first value in {@code target}
   */
  void decode(MemorySegment source, long offset, float[] target, int at);

  /**
   * Decodes {@code count} elements, which must be whole blocks, into {@code target} from {@code
   * at}.
   *
   * @throws IndexOutOfBoundsException if they leave {@code source} or {@code target}
   */
  default void decode(MemorySegment source, long offset, float[] target, int at, int count) {
    for (int done = 0; done < count; done += blockElements()) {
      decode(source, offset, target, at + done);
      offset += blockBytes();
    }
  }

  /**
   * The bytes of {@code elements} elements.
   *
   * @throws IllegalArgumentException if they are not whole blocks
   */
  default long bytes(long elements) {
    if (elements % blockElements() != 0) {
      throw new IllegalArgumentException(
          "%s: elements must be a multiple of the block of %d but are %d"
              .formatted(name(), blockElements(), elements));
    }
    return Math.multiplyExact(elements / blockElements(), (long) blockBytes());
  }

  /** Which projection record a weight of a format makes. */
  enum Product {
    /** One number an element: {@code MatMul}. */
    DENSE,
    /** Blocks with scales, dequantised inside the product: {@code DequantMatMul}. */
    BLOCK,
    /** Weights in {−1, 0, +1} times a scale: {@code TernaryMatMul}. */
    TERNARY,
    /** Not a weight: indices, or activations only. */
    NONE
  }
}
