package dev.quern.core.hybrid;

import dev.quern.core.Backend;
import dev.quern.core.InsufficientMemoryException;
import dev.quern.core.plan.MemoryPlan;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Finds what of announced work fits the first of two backends, by dry runs of it.
 *
 * @param first may have no room
 * @param second is never refused anything
 * @param work loads a model as it will be loaded
 */
record LayerSearch(Backend first, Backend second, Consumer<Backend> work) {
  private static final System.Logger LOG = System.getLogger(LayerSearch.class.getName());

  /** Whether the work fits with this placement. */
  boolean fits(Placement candidate) {
    try (Backend trial = HybridBackend.trial(first, second, 0, candidate)) {
      work.accept(trial);
      return true;
    } catch (InsufficientMemoryException e) {
      LOG.log(Level.DEBUG, "{0} does not fit {1}: {2}", candidate, first.name(), e.getMessage());
      return false;
    }
  }

  /** The most layers that fit, of all: if some do, so do fewer. */
  MemoryPlan.Layers most() {
    int all = all();
    int fit = 0;
    int tooMany = all + 1;
    while (tooMany - fit > 1) {
      int middle = (fit + tooMany) >>> 1;
      if (fits(Placement.layers(middle))) {
        fit = middle;
      } else {
        tooMany = middle;
      }
    }
    return new MemoryPlan.Layers(fit, all);
  }

  private int all() {
    Count count = new Count();
    try (Backend trial = HybridBackend.trial(first, second, Long.MAX_VALUE, count)) {
      work.accept(trial);
    }
    return count.layers;
  }

  /** All on the second side, where the layers that names belong to are counted. */
  private static final class Count implements Placement {
    private int layers;

    @Override
    public Optional<Side> home(String name) {
      layers = Math.max(layers, Placement.layer(name).orElse(-1) + 1);
      return Optional.of(Side.SECOND);
    }

    @Override
    public Side elsewhere() {
      return Side.SECOND;
    }
  }
}
