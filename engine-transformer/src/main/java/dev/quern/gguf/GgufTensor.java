package dev.quern.gguf;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * A tensor of a file.
 *
 * @param name unique in the file
 * @param dimensions extents as in the file: <em>fastest</em> first, the reverse of {@link #shape}
 * @param typeId the type's id in the file
 * @param typeName the type's name, for example {@code Q4_K}
 * @param offset the first byte, counted from the start of the file, or of its part of a split file
 * @param segment the bytes, valid until the file is closed
 */
public record GgufTensor(
    String name,
    List<Long> dimensions,
    int typeId,
    String typeName,
    long offset,
    MemorySegment segment) {
  public GgufTensor {
    dimensions = List.copyOf(dimensions);
  }

  /**
   * The extents with the slowest dimension first: file {@code [ne0, ne1]} is {@code [ne1, ne0]}.
   */
  public Shape shape() {
    return new Shape(dimensions.reversed());
  }

  /** The number of bytes. */
  public long bytes() {
    return segment.byteSize();
  }

  /** The format, if Quern can compute with it. */
  public Optional<WeightFormat> findFormat() {
    return WeightFormats.byGgufId(typeId);
  }

  /**
   * The format.
   *
   * @throws GgufException if Quern does not know it
   */
  public WeightFormat format() {
    return findFormat()
        .orElseThrow(() ->
            new GgufException(
                "tensor %s: type must be one of %s but is %s; use a file in one of them"
                    .formatted(
                        name,
                        String.join(
                            ", ",
                            WeightFormats.weights().stream().map(WeightFormat::name).toList()),
                        typeName)));
  }

  /** For example {@code blk.0.ffn_up.weight[768, 256]:Q4_K}. */
  @Override
  public String toString() {
    return name + shape() + ":" + typeName;
  }
}
