package dev.quern.opencl;

import java.util.List;

/** What a row of the kernel table says to an operation. */
sealed interface Offer {
  /**
   * It does it.
   *
   * @param steps how: what prepares the operands, and last what does the operation
   */
  record Took(List<Step.Kernel> steps) implements Offer {
    public Took {
      steps = List.copyOf(steps);
    }
  }

  /**
   * It does not.
   *
   * @param reason why, in words that a user understands
   */
  record Refused(String reason) implements Offer {}
}
