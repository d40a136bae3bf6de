package dev.quern.cpu;

import dev.quern.core.HostBuffer;
import dev.quern.core.Shape;
import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.RowLanes;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

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
