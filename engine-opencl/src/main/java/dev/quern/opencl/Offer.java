package dev.quern.opencl;

import dev.quern.core.op.Op;
import java.util.List;

/** What a row of the kernel table says to an operation. */
sealed interface Offer {
  /**
   * It does it.
   *
   * @param steps how: what prepares the operands, and last what does the operation
   * @param along later operations that the last step does as well
   */
  record Took(List<Step.Kernel> steps, List<Op> along) implements Offer {
    Took(List<Step.Kernel> steps) {
      this(steps, List.of());
    }

    public Took {
      steps = List.copyOf(steps);
      along = List.copyOf(along);
    }
  }

  /**
   * It does not.
   *
   * @param reason why, in words that a user understands
   */
  record Refused(String reason) implements Offer {}
}
