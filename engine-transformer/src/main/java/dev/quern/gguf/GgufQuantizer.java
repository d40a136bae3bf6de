package dev.quern.gguf;

import dev.quern.core.Shape;
import dev.quern.core.format.Quantizer;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * Writes a file anew with its weights rounded to a quantised format, byte-equal with what ggml's
 * reference quantizers make of them.
 *
 * <p>Rounded are matrices and stacks of matrices, named {@code ….weight}, of experts too, whose
 * rows are whole blocks of the format. As they are stay norms, biases and all else with one
 * dimension, the routers of experts ({@code ffn_gate_inp}), positions and token types, and matrices
 * whose rows are not whole blocks. Ternary formats can hold only what was trained to be ternary, so
 * with them {@code token_embd} and {@code output} stay as they are too.
 *
 * <p>Tensors are read, rounded and written a piece at a time: memory does not grow with the model.
 */
public final class GgufQuantizer {
  /** What {@code general.file_type} says of files of a format. */
  private static final Map<WeightFormat, Integer> FILE_TYPES =
      Map.of(
          WeightFormats.Q4_0, 2,
          WeightFormats.Q8_0, 7,
          WeightFormats.TQ1_0, 36,
          WeightFormats.TQ2_0, 37);

  private static final Set<WeightFormat> SOURCES =
      Set.of(WeightFormats.F32, WeightFormats.F16, WeightFormats.BF16);

  private static final Set<String> KEPT =
      Set.of("ffn_gate_inp", "ffn_gate_inp_shexp", "position_embd", "token_types");

  private static final Set<String> KEPT_BESIDE_TERNARY = Set.of("token_embd", "output");

  private static final int QUANTIZATION_VERSION = 2;

  /** Numbers of a piece: whole blocks of every format. */
  private static final int PIECE = 1 << 16;

  /** Pieces rounded side by side between two writes. */
  private static final int SIDE_BY_SIDE = 32;

  private final Quantizer quantizer;
  private final WeightFormat format;
  private final int fileType;

  /**
   * A quantizer of files.
   *
   * @throws IllegalArgumentException if no file is of this format: "quantize: …"
   */
  public GgufQuantizer(Quantizer quantizer) {
    this.quantizer = quantizer;
    this.format = quantizer.format();
    Integer type = FILE_TYPES.get(format);
    if (type == null) {
      throw new IllegalArgumentException(
          "quantize: format must be one of %s but is %s"
              .formatted(
                  FILE_TYPES.keySet().stream().map(WeightFormat::name).sorted().toList(),
                  format.name()));
    }
    this.fileType = type;
  }

  /**
   * Writes {@code file} to {@code out}, which is flushed and left open.
   *
   * @param progress is told how many bytes of the source's tensors are done
   * @throws IOException if it cannot be written
   * @throws GgufException if a tensor to round is rounded already, or is not finite
   */
  public void quantize(GgufFile file, OutputStream out, LongConsumer progress) throws IOException {
    Progress done = new Progress(progress);
    List<GgufWriter.Source> tensors =
        file.tensors().stream().map(tensor -> source(file, tensor, done)).toList();
    GgufWriter.write(out, metadata(file), tensors);
  }

  /** Whether a tensor of this name and shape is rounded. */
  public boolean quantizes(String tensor, Shape shape) {
    if (!tensor.endsWith(".weight") || shape.rank() < 2) {
      return false;
    }
    String path = tensor.substring(0, tensor.length() - ".weight".length());
    String part = path.substring(path.lastIndexOf('.') + 1);
    boolean ternary = format.product() == WeightFormat.Product.TERNARY;
    return !part.endsWith("norm")
        && !KEPT.contains(part)
        && !(ternary && KEPT_BESIDE_TERNARY.contains(path))
        && shape.last() % format.blockElements() == 0;
  }

  private GgufMetadata metadata(GgufFile file) {
    return file.metadata()
        .ofWholeFile()
        .put("general.quantization_version", QUANTIZATION_VERSION)
        .put("general.file_type", fileType)
        .build();
  }

  private GgufWriter.Source source(GgufFile file, GgufTensor tensor, Progress progress) {
    WeightFormat from = tensor.format();
    if (!quantizes(tensor.name(), tensor.shape())) {
      GgufWriter.Source kept =
          new GgufWriter.Source(tensor.name(), tensor.shape(), from, tensor.segment());
      return new GgufWriter.Source(
          tensor.name(),
          tensor.shape(),
          from,
          out -> {
            kept.content().writeTo(out);
            progress.add(tensor.bytes());
          });
    }
    if (!SOURCES.contains(from)) {
      throw new GgufException(
          "%s: tensor to quantize must be F32, F16 or BF16 but is %s; start from a file that is"
                  .formatted(file.name(), tensor)
              + " not quantized");
    }
    return new GgufWriter.Source(
        tensor.name(), tensor.shape(), format, out -> round(tensor, from, out, progress));
  }

  private void round(GgufTensor tensor, WeightFormat from, OutputStream out, Progress progress)
      throws IOException {
    long elements = tensor.shape().elements();
    long stride = (long) SIDE_BY_SIDE * PIECE;
    for (long at = 0; at < elements; at += stride) {
      long start = at;
      int pieces = (int) Math.ceilDiv(Math.min(stride, elements - at), (long) PIECE);
      List<byte[]> rounded =
          IntStream.range(0, pieces)
              .parallel()
              .mapToObj(i -> piece(tensor, from, start + (long) i * PIECE))
              .toList();
      for (byte[] bytes : rounded) {
        out.write(bytes, 0, bytes.length);
      }
      progress.add(from.bytes(Math.min(stride, elements - at)));
    }
  }

  private byte[] piece(GgufTensor tensor, WeightFormat from, long at) {
    int count = (int) Math.min(PIECE, tensor.shape().elements() - at);
    float[] numbers = new float[count];
    from.decode(tensor.segment(), from.bytes(at), numbers, 0, count);
    for (int i = 0; i < count; i++) {
      if (!Float.isFinite(numbers[i])) {
        throw new GgufException(
            "tensor %s: numbers must be finite but number %d is %s"
                .formatted(tensor, at + i, numbers[i]));
      }
    }
    byte[] bytes = new byte[(int) format.bytes(count)];
    quantizer.quantize(numbers, 0, count, MemorySegment.ofArray(bytes), 0);
    return bytes;
  }

  private static final class Progress {
    private final LongConsumer listener;
    private long done;

    Progress(LongConsumer listener) {
      this.listener = listener;
    }

    void add(long bytes) {
      done += bytes;
      listener.accept(done);
    }
  }
}
