package dev.quern.opencl;

import dev.quern.core.Tensor;
import dev.quern.core.op.Op;
import java.util.List;
import java.util.stream.Collectors;

/** The text of {@code explain()}. */
final class Explanation {
  private Explanation() {}

  static String of(Lowered lowered, Geometry geometry, String strategy, String refused) {
    StringBuilder text = new StringBuilder();
    text.append("%s on opencl; %s%n".formatted(lowered.batch().name(), strategy));
    if (!refused.isEmpty()) {
      text.append("  not persistent: ").append(refused).append(System.lineSeparator());
    }
    if (!lowered.notOneLaunch().isEmpty()) {
      text.append("  not one launch for a token: ").append(lowered.notOneLaunch());
      text.append(System.lineSeparator());
    }
    text.append(
        "  %d steps in %d waves, %d kernel bodies, %d bytes of scratch%n"
            .formatted(
                lowered.steps().size(),
                lowered.plan().waves().size(),
                lowered.bodies().size(),
                lowered.plan().scratchBytes()));
    List<List<Integer>> waves = lowered.plan().waves();
    for (int wave = 0; wave < waves.size(); wave++) {
      for (int i : waves.get(wave)) {
        text.append("  %4d  %s%n".formatted(wave, line(lowered.steps().get(i), geometry)));
        lowered.refusals().get(i).forEach(r -> text.append("          not %s%n".formatted(r)));
      }
    }
    return text.toString();
  }

  private static String line(Step step, Geometry geometry) {
    long bytes = step.op().reads().stream().mapToLong(Tensor::bytes).sum();
    String what =
        "%s %s -> %s, at most %d bytes read"
            .formatted(names(step), step.op().reads(), step.op().writes(), bytes);
    return switch (step) {
      case Step.Kernel kernel ->
          "%s: %s, %d groups"
              .formatted(what, kernel.body().name(), geometry.launchGroups(kernel.tasks()));
      case Step.Decoder decoder ->
          "%s: one token of a decoder of %d blocks".formatted(what, decoder.shape().layers());
      case Step.Host host -> "%s: on the host, because %s".formatted(what, host.reasons());
    };
  }

  private static String names(Step step) {
    return step instanceof Step.Kernel kernel
        ? kernel.ops().stream().map(Op::name).collect(Collectors.joining(" + "))
        : step.op().name();
  }
}
