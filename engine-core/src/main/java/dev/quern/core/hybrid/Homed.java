package dev.quern.core.hybrid;

import dev.quern.core.Buffer;
import java.util.Optional;

/** A buffer of a hybrid. */
sealed interface Homed extends Buffer permits HybridMemory, HybridWeights {
  /** Where it lives, if it lives somewhere. */
  Optional<Side> home();
}
