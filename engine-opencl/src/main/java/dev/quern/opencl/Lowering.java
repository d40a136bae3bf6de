package dev.quern.opencl;

import dev.quern.core.Precision;
import dev.quern.core.op.Op;
import java.util.ArrayList;
import java.util.List;

/** Turns the operations of one batch into steps, in order. */
final class Lowering {
  private final KernelTable table;
  private final Int8Kernels int8;
  private final SplitLowering splits;

  /**
   * A lowering for one batch.
   *
   * @param firstSlot the first number that no slot of the batch has
   */
  Lowering(
      ClDevice device, Geometry geometry, Settings settings, Precision precision, int firstSlot) {
    int8 = new Int8Kernels(geometry, firstSlot);
    List<KernelRow<?>> rows = new ArrayList<>();
    if (usesInt8(device, settings, precision)) {
      rows.addAll(int8.rows());
    }
    rows.addAll(new PortableKernels(geometry).rows());
    table = new KernelTable(rows);
    splits = new SplitLowering(geometry, table::choose);
  }

  private static boolean usesInt8(ClDevice device, Settings settings, Precision precision) {
    boolean wanted =
        switch (settings.kernels()) {
          // Elsewhere there is no instruction for the products of int8.
          case AUTO -> device.nvidia();
          case PORTABLE -> false;
          case INT8 -> true;
        };
    return wanted && precision == Precision.FAST;
  }

  /** The steps of the next operation. */
  KernelTable.Choice next(Op op) {
    KernelTable.Choice split = splits.choose(op);
    KernelTable.Choice choice = split == null ? table.choose(op) : split;
    int8.wrote(op);
    return choice;
  }
}
