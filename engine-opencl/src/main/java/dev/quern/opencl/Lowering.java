package dev.quern.opencl;

import dev.quern.core.CommandBatch;
import dev.quern.core.Precision;
import dev.quern.core.op.Op;
import java.util.ArrayList;
import java.util.List;

/** Turns the operations of one batch into steps, in order. */
final class Lowering {
  private final KernelTable table;
  private final Temporaries temporaries;
  private final SplitLowering splits;
  private final ClDevice device;
  private final Settings settings;
  private final Precision precision;

  /**
   * A lowering for one batch.
   *
   * @param firstSlot the first number that no slot of the batch has
   */
  Lowering(
      ClDevice device, Geometry geometry, Settings settings, Precision precision, int firstSlot) {
    this.device = device;
    this.settings = settings;
    this.precision = precision;
    temporaries = new Temporaries(firstSlot);
    List<KernelRow<?>> rows = new ArrayList<>();
    if (settings.kernels() == Settings.Kernels.AUTO && precision == Precision.FAST) {
      rows.addAll(new HopperKernels(device, temporaries).rows());
    }
    if (usesInt8(device, settings, precision)) {
      rows.addAll(new Int8Kernels(geometry, temporaries).rows());
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

  /** What is said to a whole batch. */
  sealed interface Fused {
    /** Its first operations are this step. */
    record Took(Step.Decoder step) implements Fused {}

    /** It is lowered operation by operation. */
    record Refused(String reason) implements Fused {}
  }

  /** One step for the operations of a token of a decoder, if the batch begins with them. */
  Fused decoder(CommandBatch batch) {
    if (precision != Precision.FAST) {
      return new Fused.Refused("activations must stay float32");
    }
    if (!device.nvidia()) {
      return new Fused.Refused("it takes an NVIDIA device");
    }
    if (device.arenas() != DeviceMemory.LEAST_ARENAS) {
      return new Fused.Refused("allocations of the device are too small for its memory");
    }
    if (settings.kernels() != Settings.Kernels.AUTO
        || settings.strategy() == Settings.Strategy.STREAM) {
      return new Fused.Refused("other kernels or strategies were chosen");
    }
    return switch (DecoderOps.in(batch)) {
      case DecoderOps.Found.No no -> new Fused.Refused(no.reason());
      case DecoderOps.Found.Yes yes -> {
        DecoderShape shape = DecoderShape.of(yes.ops(), device);
        String refusal = shape.refusal();
        yield refusal.isEmpty()
            ? new Fused.Took(new Step.Decoder(shape))
            : new Fused.Refused(refusal);
      }
    };
  }

  /** The steps of the next operation. */
  KernelTable.Choice next(Op op) {
    KernelTable.Choice split = splits.choose(op);
    KernelTable.Choice choice = split == null ? table.choose(op) : split;
    temporaries.wrote(op);
    return choice;
  }
}
