package dev.quern.opencl;

import dev.quern.core.op.Op;
import java.util.ArrayList;
import java.util.List;

/**
 * Which kernel does which operation: the first row that takes it, fastest first. An operation that
 * no row takes becomes a host step that keeps the reasons.
 *
 * @param rows the rows in order of preference
 */
record KernelTable(List<KernelRow<?>> rows) {
  /**
   * What was chosen.
   *
   * @param steps the steps; the last one does the operation
   * @param along later operations that it does as well
   * @param refused why faster rows were not taken
   */
  record Choice(List<Step> steps, List<Op> along, List<String> refused) {
    Choice(List<Step> steps, List<String> refused) {
      this(steps, List.of(), refused);
    }

    Choice {
      steps = List.copyOf(steps);
      along = List.copyOf(along);
      refused = List.copyOf(refused);
    }
  }

  /** Chooses a kernel. */
  Choice choose(Op op) {
    List<String> refused = new ArrayList<>();
    for (KernelRow<?> row : rows) {
      if (row.type().isInstance(op)) {
        switch (row.offerTo(op)) {
          case Offer.Took took -> {
            return new Choice(List.copyOf(took.steps()), took.along(), refused);
          }
          case Offer.Refused no -> refused.add(row.name() + ": " + no.reason());
        }
      }
    }
    if (refused.isEmpty()) {
      refused.add("no kernel does " + op.name());
    }
    return new Choice(List.of(new Step.Host(op, List.copyOf(refused))), refused);
  }
}
