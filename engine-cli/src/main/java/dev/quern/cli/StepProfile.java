package dev.quern.cli;

import dev.quern.core.Limits;
import dev.quern.core.StepTime;
import dev.quern.core.Tensor;
import dev.quern.core.op.Embed;
import dev.quern.core.op.ExpertMatMul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Projection;
import dev.quern.core.plan.Cost;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The steps of a batch, with the median time of each and what each must move and compute.
 *
 * @param lines in the order in which they ran
 */
record StepProfile(List<Line> lines) {
  StepProfile {
    lines = List.copyOf(lines);
  }

  /**
   * One step, or several of a kind.
   *
   * @param what operations, with the weight and its format
   * @param kernel what ran it
   * @param steps how many
   * @param nanos their time together
   * @param cost what they move and compute together
   */
  record Line(String what, String kernel, int steps, double nanos, Cost cost) {
    private Line plus(Line other) {
      String kernels = kernel.equals(other.kernel) ? kernel : "";
      return new Line(
          what, kernels, steps + other.steps, nanos + other.nanos, cost.plus(other.cost));
    }

    double bytesPerSecond() {
      return cost.bytes() / nanos * 1e9;
    }

    double flopsPerSecond() {
      return cost.flops() / nanos * 1e9;
    }

    /** The share of the ceiling that is nearer: of memory or of arithmetic. */
    double share(Limits limits) {
      return Math.max(
          bytesPerSecond() / limits.readBytesPerSecond(),
          flopsPerSecond() / limits.flopsPerSecond());
    }
  }

  /** The profile of repeated runs of the same steps. */
  static StepProfile of(List<List<StepTime>> runs, int rows, int depth) {
    List<StepTime> first = runs.getFirst();
    return new StepProfile(
        IntStream.range(0, first.size())
            .mapToObj(i -> {
              StepTime step = first.get(i);
              List<Double> nanos = new ArrayList<>();
              runs.forEach(run -> nanos.add((double) run.get(i).nanos()));
              return new Line(
                  what(step),
                  step.kernel(),
                  1,
                  Math.max(1, Rates.of(nanos).median()),
                  Cost.of(step.ops(), rows, depth));
            })
            .toList());
  }

  /** Steps that do the same in every layer as one line, the longest first. */
  StepProfile grouped() {
    Map<String, Line> groups = new LinkedHashMap<>();
    lines.forEach(line -> groups.merge(line.what, line, Line::plus));
    return new StepProfile(
        groups.values().stream().sorted((a, b) -> Double.compare(b.nanos, a.nanos)).toList());
  }

  /** Everything as one line. */
  Line total() {
    Line all = new Line("all steps", "", 0, 0, Cost.NONE);
    for (Line line : lines) {
      all = all.plus(line);
    }
    return all;
  }

  private static String what(StepTime step) {
    if (step.ops().isEmpty()) {
      return "prepare activations";
    }
    return step.ops().stream()
        .map(StepProfile::what)
        .distinct()
        .sorted()
        .collect(Collectors.joining(" + "));
  }

  private static String what(Op op) {
    return switch (op) {
      case Projection p -> "%s %s".formatted(p.name(), weight(p.w()));
      case ExpertMatMul e -> "%s %s".formatted(e.name(), weight(e.w()));
      case Embed e -> "embed " + e.table().format().name();
      default -> op.name();
    };
  }

  /** {@code blk.3.ffn_up.weight} in Q4_K is {@code ffn_up Q4_K}. */
  private static String weight(Tensor weight) {
    String name = weight.name().replaceFirst("^blk\\.\\d+\\.", "").replaceFirst("\\.weight$", "");
    return name + " " + weight.format().name();
  }
}
