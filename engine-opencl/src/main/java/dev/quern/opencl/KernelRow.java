package dev.quern.opencl;

import dev.quern.core.op.Op;
import java.util.function.Function;

/**
 * A row of the kernel table.
 *
 * @param name the kernel's name
 * @param type the operations it may take
 * @param offer takes or refuses one
 */
record KernelRow<T extends Op>(String name, Class<T> type, Function<T, Offer> offer) {
  /** Offers this row to an operation of any type. */
  Offer offerTo(Op op) {
    return type.isInstance(op)
        ? offer.apply(type.cast(op))
        : new Offer.Refused("does not do " + op.name());
  }
}
