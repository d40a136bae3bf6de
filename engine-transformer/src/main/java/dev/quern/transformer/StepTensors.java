package dev.quern.transformer;

import dev.quern.core.Tensor;

/**
 * What every block of a step reads.
 *
 * @param sequences sequence of each row
 * @param positions position of each row
 * @param rotations cosines and sines of every position
 */
record StepTensors(Tensor sequences, Tensor positions, Tensor rotations) {}
