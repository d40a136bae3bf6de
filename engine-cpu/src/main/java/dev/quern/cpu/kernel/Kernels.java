package dev.quern.cpu.kernel;

import dev.quern.core.format.WeightFormat;
import java.util.Optional;

/**
 * A set of kernels. All of them read and write host memory outside the Java heap, allocate nothing,
 * and run on one worker; the steps share the work out.
 */
public interface Kernels {
  /** The name shown by {@code explain()}, for example {@code vector-512}. */
  String name();

  /** The kernel that multiplies few activation rows by weights as stored. */
  Dot dot(WeightFormat format);

  /** The kernels over interleaved weights, for formats that have them. */
  Optional<RowLanes> lanes(WeightFormat format);

  /** The kernel over interleaved weights with float32 activations. */
  Dot exact(RowLanes lanes);

  /** The kernel that decodes weights; formats without one of their own get a scalar one. */
  Unpack unpack(WeightFormat format);

  /** Products of float32 tiles. */
  Tile tile();

  /** Operations on rows. */
  RowMath rows();

  /** The parts of attention. */
  AttentionMath attention();

  /** Loops that show what a core can reach. */
  Ceilings ceilings();
}
