package dev.quern.transformer;

import dev.quern.core.Tensor;

/**
 * What every block of a step reads.
 *
 * @param sequences sequence of each row
 * @param positions position of each row
 */
record StepTensors(Tensor sequences, Tensor positions) {}
