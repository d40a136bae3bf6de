package dev.quern.opencl;

import dev.quern.core.Buffer;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Weights above the largest allocation: parts of whole rows, each a buffer of its own. */
final class SplitBuffer implements Buffer {
  /** Parts start at multiples of this many rows where they can, for kernels that take many. */
  private static final long ROWS = 64;

  private final OpenClBackend backend;
  private final String name;
  private final long bytes;
  private final List<Part> parts;
  private boolean closed;

  /**
   * A part.
   *
   * @param offset its first byte in the whole
   * @param buffer its bytes
   */
  record Part(long offset, DeviceBuffer buffer) {}

  /**
   * Consecutive rows of a matrix, or of the matrices of a stack one after another.
   *
   * @param first the first of them
   * @param count how many
   */
  record Rows(long first, long count) {}

  /**
   * What a part holds of a tensor.
   *
   * @param rows which rows of it
   * @param buffer where they are
   * @param offset their first byte there
   */
  record Piece(Rows rows, DeviceBuffer buffer, long offset) {}

  SplitBuffer(OpenClBackend backend, String name, List<Part> parts) {
    this.backend = backend;
    this.name = name;
    this.parts = List.copyOf(parts);
    Part last = parts.getLast();
    bytes = last.offset + last.buffer.bytes();
  }

  /**
   * Cuts a weight into parts of at most {@code limit} bytes: whole matrices of a stack, or rows of
   * one matrix. A single row above the limit is a part too, which no allocation will take.
   */
  static List<Rows> cut(Tensor weight, long limit) {
    long rowBytes = rowBytes(weight);
    long rows = weight.bytes() / rowBytes;
    long matrix = matrixRows(weight);
    long most = Math.max(1, limit / rowBytes);
    List<Rows> parts = new ArrayList<>();
    if (matrix <= most) {
      long whole = most / matrix * matrix;
      for (long first = 0; first < rows; first += whole) {
        parts.add(new Rows(first, Math.min(whole, rows - first)));
      }
      return parts;
    }
    long even = most < ROWS ? most : most / ROWS * ROWS;
    for (long start = 0; start < rows; start += matrix) {
      for (long first = 0; first < matrix; first += even) {
        parts.add(new Rows(start + first, Math.min(even, matrix - first)));
      }
    }
    return parts;
  }

  /** The rows of each matrix of a weight. */
  private static long matrixRows(Tensor weight) {
    int rank = weight.shape().rank();
    return rank < 2 ? 1 : weight.shape().dim(rank - 2);
  }

  /** The bytes of one row of a matrix. */
  static long rowBytes(Tensor weight) {
    WeightFormat format = weight.format();
    return format.bytes(weight.shape().last());
  }

  /** The pieces that a tensor in this buffer consists of, in order. */
  List<Piece> pieces(Tensor tensor) {
    long rowBytes = rowBytes(tensor);
    long end = tensor.offset() + tensor.bytes();
    List<Piece> pieces = new ArrayList<>();
    for (Part part : parts) {
      long from = Math.max(tensor.offset(), part.offset);
      long to = Math.min(end, part.offset + part.buffer.bytes());
      if (from < to) {
        Rows rows = new Rows((from - tensor.offset()) / rowBytes, (to - from) / rowBytes);
        pieces.add(new Piece(rows, part.buffer, from - part.offset));
      }
    }
    return pieces;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public int parts() {
    return parts.size();
  }

  @Override
  public void write(long offset, MemorySegment source) {
    throw new IllegalStateException("buffer %s: adopted weights cannot be written".formatted(name));
  }

  @Override
  public void read(long offset, MemorySegment target) {
    Objects.checkFromIndexSize(offset, target.byteSize(), bytes);
    long end = offset + target.byteSize();
    for (Part part : parts) {
      long from = Math.max(offset, part.offset);
      long to = Math.min(end, part.offset + part.buffer.bytes());
      if (from < to) {
        part.buffer.read(from - part.offset, target.asSlice(from - offset, to - from));
      }
    }
  }

  @Override
  public void close() {
    synchronized (backend.opened()) {
      if (!closed) {
        closed = true;
        parts.forEach(part -> part.buffer.close());
        if (!backend.closed()) {
          backend.opened().counters().liveBuffers += parts.size() - 1;
        }
      }
    }
  }
}
