package dev.quern.cpu.kernel;

import dev.quern.core.format.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Kernels without vectors, for a JVM that was started without the Vector API. */
public final class ScalarKernels implements Kernels {
  private final RowMath rows = new ScalarRowMath();
  private final AttentionMath attention = new ScalarAttention();
  private final Tile tile = new ScalarTile();

  /** Makes the set. */
  public ScalarKernels() {}

  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public Dot dot(WeightFormat format) {
    return new UnpackedDot(unpack(format));
  }

  @Override
  public Unpack unpack(WeightFormat format) {
    return new ScalarUnpack(format);
  }

  @Override
  public Optional<RowLanes> lanes(WeightFormat format) {
    return Optional.empty();
  }

  @Override
  public Dot exact(RowLanes lanes) {
    throw new UnsupportedOperationException("scalar kernels have no interleaved weights");
  }

  @Override
  public Tile tile() {
    return tile;
  }

  @Override
  public RowMath rows() {
    return rows;
  }

  @Override
  public AttentionMath attention() {
    return attention;
  }

  @Override
  public Ceilings ceilings() {
    return new ScalarCeilings();
  }

  /** Decodes each row into scratch, then multiplies. */
  private record UnpackedDot(Unpack unpack) implements Dot {
    @Override
    public Side.Form form() {
      return Side.Form.NONE;
    }

    @Override
    public void run(Job job) {
      for (int n = 0; n < job.rows; n++) {
        unpack.run(job.w, job.wAt + n * job.rowBytes, job.k, job.scratch, 0, job.factors);
        double sum = 0;
        for (int k = 0; k < job.k; k++) {
          sum +=
              (double) job.x.get(RowMath.F32, job.xAt + 4L * k)
                  * job.scratch.get(RowMath.F32, 4L * k);
        }
        job.y.set(RowMath.F32, job.yAt + 4L * n, (float) sum);
      }
    }
  }

  /** The format's own decoder. */
  private record ScalarUnpack(WeightFormat format) implements Unpack {
    @Override
    public void run(
        MemorySegment w, long wAt, int count, MemorySegment target, long at, float[] factors) {
      float[] block = new float[format.blockElements()];
      for (int k = 0; k < count; k += block.length) {
        format.decode(w, wAt, block, 0);
        wAt += format.blockBytes();
        for (int i = 0; i < block.length; i++) {
          target.set(RowMath.F32, at + 4L * (k + i), block[i]);
        }
      }
    }
  }

  /** Plain loops. */
  private static final class ScalarTile implements Tile {
    @Override
    public int panel() {
      return ROWS;
    }

    @Override
    public void multiply(MemorySegment tile, int count, int rows, int tokens, Sums sums) {
      float[] c = sums.all;
      for (int t = 0; t < tokens; t++) {
        for (int n = 0; n < rows; n++) {
          float sum = c[t * ROWS + n];
          for (int k = 0; k < count; k++) {
            sum += sums.x[t * COLUMNS + k] * tile.get(RowMath.F32, Tile.place(k, n, ROWS));
          }
          c[t * ROWS + n] = sum;
        }
      }
    }
  }
}
