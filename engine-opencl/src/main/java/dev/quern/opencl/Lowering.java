package dev.quern.opencl;

import dev.quern.core.CommandBatch;
import dev.quern.core.Precision;
import dev.quern.core.op.Op;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** Turns the operations of one batch into steps, in order. */
final class Lowering {
  private final KernelTable table;
  private final Temporaries temporaries;
  private final SplitLowering splits;
  private final ClDevice device;
  private final Settings settings;
  private final Precision precision;
  private final Set<Op> done = Collections.newSetFromMap(new IdentityHashMap<>());

  /** A lowering for one batch. */
  Lowering(
      ClDevice device,
      Geometry geometry,
      Settings settings,
      Precision precision,
      CommandBatch batch) {
    this(
        device,
        geometry,
        settings,
        precision,
        new Neighbours(batch.ops(), batch.bound()),
        batch.slots().size());
  }

  /** A lowering for an operation that stands alone. */
  Lowering(ClDevice device, Geometry geometry, Settings settings, Precision precision, Op op) {
    this(device, geometry, settings, precision, new Neighbours(List.of(op), Set.of()), 0);
  }

  private Lowering(
      ClDevice device,
      Geometry geometry,
      Settings settings,
      Precision precision,
      Neighbours neighbours,
      int firstSlot) {
    this.device = device;
    this.settings = settings;
    this.precision = precision;
    temporaries = new Temporaries(firstSlot);
    List<KernelRow<?>> rows = new ArrayList<>();
    Halves halves = new Halves(neighbours, temporaries, product -> false);
    if (settings.kernels() == Settings.Kernels.AUTO && precision == Precision.FAST) {
      HopperKernels hopper = new HopperKernels(device, neighbours, temporaries);
      rows.addAll(hopper.rows());
      halves = hopper.halves();
    }
    if (usesInt8(device, settings, precision)) {
      rows.addAll(new Int8Kernels(geometry, temporaries).rows());
    }
    rows.addAll(new PortableKernels(geometry, neighbours, temporaries, halves).rows());
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

  /** The steps of the next operation; none if an earlier step does it as well. */
  KernelTable.Choice next(Op op) {
    if (done.remove(op)) {
      return new KernelTable.Choice(List.of(), List.of());
    }
    temporaries.wrote(op);
    KernelTable.Choice split = splits.choose(op);
    KernelTable.Choice choice = split == null ? table.choose(op) : split;
    done.addAll(choice.along());
    return choice;
  }
}
