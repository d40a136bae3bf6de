package dev.quern.cpu;

import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.HostBuffer;
import dev.quern.core.Shape;
import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.core.op.ExpertMatMul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Projection;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.RowLanes;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The interleaved copies of weights, one a weight, which live as long as a batch uses them. What
 * was mapped from a file is then read no more, and the system may drop its pages. Guarded by the
 * lock of the backend.
 */
final class InterleavedWeights {
  private static final System.Logger LOG = System.getLogger(InterleavedWeights.class.getName());

  private final Kernels kernels;
  private final Workers workers;
  private final Map<Key, Copy> copies = new HashMap<>();
  private long bytes;

  InterleavedWeights(Kernels kernels, Workers workers) {
    this.kernels = kernels;
    this.workers = workers;
  }

  /** Which weight. */
  record Key(Storage storage, long offset, Shape shape) {}

  /** What copies of weights will take, for a dry run. */
  static final class Forecast {
    private final Kernels kernels;
    private final Set<Key> seen = new HashSet<>();

    Forecast(Kernels kernels) {
      this.kernels = kernels;
    }

    /** Bytes of the copies that no batch before this one needed. */
    long bytes(CommandBatch batch) {
      long bytes = 0;
      for (Op op : batch.ops()) {
        Tensor w =
            switch (op) {
              case Projection projection -> projection.w();
              case ExpertMatMul experts -> experts.w();
              default -> null;
            };
        if (w != null && w.storage() instanceof Buffer && seen.add(key(w))) {
          bytes += kernels.lanes(w.format()).map(lanes -> Interleaved.bytes(w, lanes)).orElse(0L);
        }
      }
      return bytes;
    }
  }

  private static final class Copy {
    final Interleaved weights;
    int uses;

    Copy(Interleaved weights) {
      this.weights = weights;
    }
  }

  /**
   * The copy of a weight; empty if it is of a format without, if it may change, or without room.
   */
  Optional<Interleaved> use(Tensor w) {
    Optional<RowLanes> lanes = kernels.lanes(w.format());
    if (lanes.isEmpty() || !(w.storage() instanceof HostBuffer buffer && buffer.readOnly())) {
      return Optional.empty();
    }
    Copy copy = copies.get(key(w));
    if (copy == null) {
      try {
        copy = new Copy(new Interleaved(w, lanes.get()));
      } catch (OutOfMemoryError e) {
        LOG.log(
            System.Logger.Level.WARNING,
            "cpu: weight {0} stays as stored, several times slower, because there is no room for a"
                + " copy of {1} bytes",
            w,
            w.bytes());
        return Optional.empty();
      }
      workers.run(copy.weights.filling(w));
      bytes += copy.weights.bytes.byteSize();
      copies.put(key(w), copy);
    }
    copy.uses++;
    return Optional.of(copy.weights);
  }

  /** Ends a use. */
  void release(Tensor w) {
    Copy copy = copies.get(key(w));
    if (copy != null && --copy.uses == 0) {
      bytes -= copy.weights.bytes.byteSize();
      copies.remove(key(w));
      copy.weights.close();
    }
  }

  /** Bytes of all copies. */
  long bytes() {
    return bytes;
  }

  void close() {
    copies.values().forEach(copy -> copy.weights.close());
    copies.clear();
    bytes = 0;
  }

  private static Key key(Tensor w) {
    return new Key(w.storage(), w.offset(), w.shape());
  }
}
