package dev.quern.opencl;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.kernels.cl.KernelSources;
import dev.quern.opencl.binding.OpenCl;

/**
 * Weights in tiles of 32 rows, the order of {@code lib/tile.clh}: each lane of a warp reads 16
 * bytes beside those of the next, a row of the tile each, so that a product needs no sum over
 * lanes.
 */
final class Tiles {
  /** Rows of a tile. */
  static final int ROWS = 32;

  /** Columns of a chunk of blocks, and of numbers. */
  private static final int BLOCK_COLUMNS = 256;

  private static final int DENSE_COLUMNS = 64;
  private static final int GROUP = 128;

  private Tiles() {}

  /** Columns of a chunk. */
  static int columns(WeightFormat format) {
    return format.blockElements() == 1 ? DENSE_COLUMNS : BLOCK_COLUMNS;
  }

  /** The source of a format's tiles. */
  static String source(WeightFormat format) {
    return "tile/" + FormatSources.lower(format) + ".clh";
  }

  /** Why a weight cannot be in tiles, or nothing. */
  static String refusal(Tensor w) {
    WeightFormat format = w.format();
    if (KernelSources.find(source(format)).isEmpty()) {
      return "there are no tiles of %s (%s)".formatted(format.name(), source(format));
    }
    if (!(w.storage() instanceof DeviceBuffer buffer) || !buffer.weights()) {
      return "%s is not an adopted weight".formatted(w);
    }
    long tile = ROWS * rowBytes(w);
    int columns = columns(format);
    return w.shape().last() % columns != 0
            || w.offset() % tile != 0
            || w.bytes() % tile != 0
            || buffer.bytes() % tile != 0
        ? "%s is not a whole number of tiles of %d by %d".formatted(w, ROWS, columns)
        : "";
  }

  /** The bytes of a row of the matrix, whatever comes before it in the shape. */
  private static long rowBytes(Tensor w) {
    return w.format().bytes(w.shape().last());
  }

  /**
   * The same weight in tiles, of which {@link #refusal} has nothing to say. What starts at a tile's
   * first row starts at the same byte in both orders. Nothing is done before its region is asked
   * for.
   */
  static Tensor of(Tensor w) {
    if (!(w.storage() instanceof DeviceBuffer buffer)) {
      throw new IllegalArgumentException(w + " is not an adopted weight");
    }
    WeightFormat format = w.format();
    long chunks = w.shape().last() / columns(format);
    DeviceBuffer tiles =
        buffer.inTiles(region -> regroup(buffer, region, format, rowBytes(w), chunks));
    return Tensor.of(w.name(), tiles, w.offset(), w.shape(), format);
  }

  private static void regroup(
      DeviceBuffer from, Region to, WeightFormat format, long rowBytes, long chunks) {
    OpenDevice device = from.backend().opened();
    OpenCl cl = device.cl();
    Region source = DeviceBuffer.region(from);
    long program = device.program(ProgramText.regroup(format), BuildOptions.of(device));
    long kernel = cl.createKernel(program, "regroup");
    try {
      long rows = from.bytes() / rowBytes;
      cl.setBuffer(kernel, 0, device.memory().buffer(source.arena()));
      cl.setBuffer(kernel, 1, device.memory().buffer(to.arena()));
      setLong(cl, kernel, 2, source.offset());
      setLong(cl, kernel, 4, to.offset());
      cl.setInt(kernel, 6, Math.toIntExact(rows));
      cl.setInt(kernel, 7, Math.toIntExact(chunks));
      long items = (rows * chunks + GROUP - 1) / GROUP * GROUP;
      cl.launch(device.queue(), kernel, items, GROUP);
      device.counters().launches++;
    } finally {
      cl.releaseKernel(kernel);
    }
  }

  private static void setLong(OpenCl cl, long kernel, int index, long value) {
    cl.setInt(kernel, index, (int) value);
    cl.setInt(kernel, index + 1, (int) (value >>> 32));
  }
}
