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
  /** Chooses a kernel. */
  Step choose(Op op) {
    List<String> reasons = new ArrayList<>();
    for (KernelRow<?> row : rows) {
      if (row.type().isInstance(op)) {
        switch (row.offerTo(op)) {
          case Offer.Took took -> {
            return took.step();
          }
          case Offer.Refused refused -> reasons.add(row.name() + ": " + refused.reason());
        }
      }
    }
    if (reasons.isEmpty()) {
      reasons.add("no kernel does " + op.name());
    }
    return new Step.Host(op, reasons);
  }
}
