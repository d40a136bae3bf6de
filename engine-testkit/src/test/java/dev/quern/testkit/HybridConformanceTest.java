package dev.quern.testkit;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.Precision;
import dev.quern.core.hybrid.HybridBackend;
import dev.quern.core.hybrid.Placement;
import dev.quern.core.hybrid.Side;
import java.util.List;
import java.util.Optional;

/** The conformance suite on a hybrid whose batches change sides as often as their names allow. */
class HybridConformanceTest extends BackendConformance {
  /** A third of the names live on each side, a third wherever they are used. */
  private record Scattered(Side elsewhere) implements Placement {
    @Override
    public Optional<Side> home(String name) {
      return switch (Math.floorMod(name.hashCode(), 3)) {
        case 0 -> Optional.of(Side.FIRST);
        case 1 -> Optional.of(Side.SECOND);
        default -> Optional.empty();
      };
    }
  }

  @Override
  protected List<Precision> precisions() {
    return List.of(Precision.EXACT);
  }

  @Override
  protected Backend open() {
    return new HybridBackend(
        Backends.open("reference"), Backends.open("reference"), new Scattered(Side.FIRST));
  }
}
