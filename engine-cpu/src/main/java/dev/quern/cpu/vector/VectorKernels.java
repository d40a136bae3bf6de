package dev.quern.cpu.vector;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.cpu.kernel.AttentionMath;
import dev.quern.cpu.kernel.Ceilings;
import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.RowLanes;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.ScalarKernels;
import dev.quern.cpu.kernel.Side;
import dev.quern.cpu.kernel.Tile;
import dev.quern.cpu.kernel.Unpack;
import java.util.Map;
import java.util.Optional;

/** The kernels of the Vector API, at the widest vectors the JVM offers. */
public final class VectorKernels implements Kernels {
  private static final Map<WeightFormat, Dot> DOTS =
      Map.of(
          WeightFormats.F32, new F32Dot(),
          WeightFormats.F16, new F16Dot(),
          WeightFormats.BF16, new Bf16Dot());

  private static final Map<WeightFormat, RowLanes> LANES =
      Map.of(
          WeightFormats.Q4_0, new Q4Lanes(),
          WeightFormats.Q8_0, new Q8Lanes(),
          WeightFormats.Q4_K, new Q4kLanes(),
          WeightFormats.Q5_K, new Q5kLanes(),
          WeightFormats.Q6_K, new Q6kLanes(),
          WeightFormats.TQ2_0, new Tq2Lanes());

  private static final Map<WeightFormat, Unpack> UNPACKS =
      Map.of(
          WeightFormats.F32, DenseUnpack::f32,
          WeightFormats.F16, DenseUnpack::f16,
          WeightFormats.BF16, DenseUnpack::bf16,
          WeightFormats.Q8_0, BlockUnpack::q8,
          WeightFormats.Q4_0, BlockUnpack::q4,
          WeightFormats.Q4_K, BlockUnpack::q4k,
          WeightFormats.Q5_K, BlockUnpack::q5k,
          WeightFormats.Q6_K, BlockUnpack::q6k,
          WeightFormats.TQ2_0, BlockUnpack::tq2);

  private final ScalarKernels scalar = new ScalarKernels();
  private final RowMath rows = new VectorRowMath();
  private final AttentionMath attention = new VectorAttention();
  private final Tile tile = new VectorTile();

  /** Makes the set. */
  public VectorKernels() {}

  @Override
  public String name() {
    return "vector-" + Lanes.F.vectorBitSize();
  }

  @Override
  public Dot dot(WeightFormat format) {
    Dot dot = DOTS.get(format);
    return dot != null ? dot : new UnpackedDot(unpack(format));
  }

  @Override
  public Optional<RowLanes> lanes(WeightFormat format) {
    return Optional.ofNullable(LANES.get(format));
  }

  @Override
  public Dot exact(RowLanes lanes) {
    return new ExactLanes(lanes);
  }

  @Override
  public Unpack unpack(WeightFormat format) {
    Unpack unpack = UNPACKS.get(format);
    return unpack != null ? unpack : scalar.unpack(format);
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
    return new VectorCeilings();
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
        float sum = F32Dot.dot(job.scratch, 0, job.x, job.xAt, job.k);
        job.y.set(RowMath.F32, job.yAt + 4L * n, sum);
      }
    }
  }
}
