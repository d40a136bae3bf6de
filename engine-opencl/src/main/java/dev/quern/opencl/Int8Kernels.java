package dev.quern.opencl;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.Projection;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Products of few rows with activations rounded to int8, as {@code FAST} allows. Activations are
 * quantised once and serve every product that reads them, so this is made anew for each batch.
 */
final class Int8Kernels {
  private static final String TEAM = "lib/team.clh";
  private static final String INT8 = "lib/int8.clh";
  private static final String FORM = "int8";

  /** Above this many rows tiles of float32 are no slower. */
  private static final int MAX_ROWS = 8;

  private static final int MAX_TILE = 4;

  /** Blocks are read as vectors of sixteen bytes. */
  private static final int ALIGNMENT = 16;

  private final Geometry geometry;
  private final Temporaries temporaries;

  /** Kernels for one batch. */
  Int8Kernels(Geometry geometry, Temporaries temporaries) {
    this.geometry = geometry;
    this.temporaries = temporaries;
  }

  List<KernelRow<?>> rows() {
    return List.of(new KernelRow<>("matmul-int8", Projection.class, this::projection));
  }

  private Offer projection(Projection op) {
    WeightFormat format = op.w().format();
    long rows = op.x().shape().rows();
    if (!FormatSources.isInt8(format)) {
      return new Offer.Refused(format.name() + " has no int8 form");
    }
    if (rows > MAX_ROWS) {
      return new Offer.Refused("%d rows are more than %d".formatted(rows, MAX_ROWS));
    }
    if (op.w().offset() % ALIGNMENT != 0) {
      return new Offer.Refused("the weight does not start at a multiple of " + ALIGNMENT);
    }
    List<Step.Kernel> steps = new ArrayList<>();
    Tensor x = temporaries.form(op.x(), FORM);
    if (x == null) {
      // One byte an element, and two floats for sixteen.
      x = temporaries.newForm(op.x(), FORM, op.x().shape().elements() * 3 / 2);
      steps.add(quantize(op, x));
    }
    steps.add(product(op, x));
    return new Offer.Took(steps);
  }

  private Step.Kernel quantize(Projection op, Tensor target) {
    Body body = new Body("quantize", List.of(), "op/quantize.clh", new TreeMap<>(), 0);
    return StepBuilder.of(op, body, op.x())
        .integers(op.x().shape().last(), op.x().shape().rows())
        .operands(op.x(), target)
        .touching(List.of(op.x()), List.of(target))
        .tasks(geometry.groupsFor(op.x().shape().elements() / 32));
  }

  private Step.Kernel product(Projection op, Tensor x) {
    WeightFormat format = op.w().format();
    int tile = (int) Math.min(MAX_TILE, Long.highestOneBit(op.x().shape().rows()));
    SortedMap<String, String> macros = new TreeMap<>();
    macros.put("INT8", FormatSources.lower(format) + "_int8");
    macros.put("TILE", Integer.toString(tile));
    Body body =
        new Body(
            "matmul_int8_" + FormatSources.lower(format) + "_" + tile,
            FormatSources.int8Libraries(format, TEAM, INT8),
            "op/matmul-int8.clh",
            macros,
            4 * geometry.group());
    long outputs = op.w().shape().rows();
    return StepBuilder.of(op, body, op.x())
        .integers(outputs, op.w().shape().last(), op.w().rowBytes(), op.x().shape().rows())
        .operands(x, op.w(), op.y())
        .touching(List.of(x, op.w()), List.of(op.y()))
        .tasks(geometry.groupsFor(outputs * geometry.lanes()));
  }
}
