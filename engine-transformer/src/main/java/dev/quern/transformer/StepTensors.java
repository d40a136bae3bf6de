package dev.quern.transformer;

import dev.quern.core.Tensor;
import java.util.List;

/**
 * What every block of a step reads.
 *
 * @param sequences sequence of each row
 * @param positions position of each row
 * @param adapters what is added to projections
 */
record StepTensors(Tensor sequences, Tensor positions, List<LoraAdapter> adapters) {
  StepTensors {
    adapters = List.copyOf(adapters);
  }
}
