package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.core.ByteSize;
import dev.quern.core.Device;
import dev.quern.core.Precision;
import dev.quern.core.hybrid.HybridBackend;
import dev.quern.core.hybrid.Placement;
import dev.quern.core.hybrid.Side;
import dev.quern.core.plan.MemoryPlan;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoadOptions;
import dev.quern.transformer.ModelSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code quern plan}: what fits. */
@Command(
    name = "plan",
    versionProvider = QuernVersion.class,
    description = {
      "Show what a model takes of a device's memory, before anything is loaded.",
      "The backend itself says so in a dry run: weights, cache, buffers, and the scratch memory of"
          + " the batches for prompts and for decoding. --verbose shows every tensor."
    })
final class PlanCommand extends Subcommand {
  private static final String LINE = "  %-28s %14s %12s %12s  %s%n";

  @Mixin private ModelOptions model = new ModelOptions();

  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL",
      description = "GGUF file, or the name of a built-in model; the same as --model.")
  private @Nullable String file;

  @Option(
      names = "--sequences",
      paramLabel = "N",
      defaultValue = "1",
      description = "Sequences that run together. Default: ${DEFAULT-VALUE}")
  private int sequences = 1;

  PlanCommand(Streams streams) {
    super(streams);
  }

  @Override
  public Integer call() throws IOException {
    LoadOptions options =
        model
            .load(Precision.FAST)
            .withSequences(ModelOptions.positive("--sequences", sequences, 1));
    try (Backend backend = model.openBackend(model.backend());
        ModelSource source =
            ModelSource.of(file == null ? model.openFile() : ModelOptions.open(file))) {
      MemoryPlan plan = LanguageModel.plan(source, backend, options);
      Places places = new Places(backend);
      print(source.name() + " on " + model.describe(backend, Precision.FAST));
      print(places.memory());
      table(plan, places);
      print(verdict(plan, backend));
    }
    return 0;
  }

  private void print(String line) {
    streams.out().println(line);
  }

  /** Where pieces live. */
  private record Places(Backend backend) {
    String memory() {
      return backend instanceof HybridBackend hybrid
          ? memory(hybrid.device(Side.FIRST)) + "; " + memory(hybrid.device(Side.SECOND))
          : memory(backend.device());
    }

    private static String memory(Device device) {
      return "%s: %s%s"
          .formatted(
              device.id(),
              ByteSize.format(device.memoryBytes()),
              device.maxAllocationBytes() < device.memoryBytes()
                  ? " in allocations of at most " + ByteSize.format(device.maxAllocationBytes())
                  : "");
    }

    String of(String name) {
      return backend instanceof HybridBackend hybrid
          ? hybrid
              .placement()
              .home(name)
              .map(side -> hybrid.device(side).id())
              .orElse("where it is used")
          : backend.device().id();
    }
  }

  /** A line of the table: what belongs together. */
  private static final class Group {
    private final String place;
    private final Map<MemoryPlan.Kind, Long> bytes = new EnumMap<>(MemoryPlan.Kind.class);
    private long inPlace;
    private int parts = 1;

    Group(String place) {
      this.place = place;
    }

    void add(MemoryPlan.Entry entry) {
      bytes.merge(entry.kind(), entry.resident(), Long::sum);
      if (entry.kind() == MemoryPlan.Kind.WEIGHTS && entry.resident() == 0) {
        inPlace += entry.stored();
      }
      parts = Math.max(parts, entry.parts());
    }

    private long of(MemoryPlan.Kind kind) {
      return bytes.getOrDefault(kind, 0L);
    }

    private static String amount(long bytes) {
      return bytes == 0 ? "" : ByteSize.format(bytes);
    }

    String weights() {
      long own = of(MemoryPlan.Kind.WEIGHTS);
      return own == 0 && inPlace > 0 ? ByteSize.format(inPlace) + " mapped" : amount(own);
    }

    String cache() {
      return amount(of(MemoryPlan.Kind.CACHE));
    }

    String other() {
      return amount(of(MemoryPlan.Kind.BUFFER) + of(MemoryPlan.Kind.SCRATCH));
    }

    String place() {
      return parts == 1 ? place : "%s, a tensor in up to %d allocations".formatted(place, parts);
    }
  }

  private void table(MemoryPlan plan, Places places) {
    streams.out().printf(Locale.ROOT, LINE, "", "weights", "KV cache", "other", "where");
    if (standard.verbose) {
      for (MemoryPlan.Entry entry : plan.entries()) {
        Group group = new Group(places.of(entry.name()));
        group.add(entry);
        line(label(entry), group);
      }
    } else {
      groups(plan, places).forEach(this::line);
    }
    plan.lines().forEach(this::print);
  }

  private void line(String label, Group group) {
    streams
        .out()
        .printf(
            Locale.ROOT, LINE, label, group.weights(), group.cache(), group.other(), group.place());
  }

  private static Map<String, Group> groups(MemoryPlan plan, Places places) {
    Map<String, Group> groups = new LinkedHashMap<>();
    List<MemoryPlan.Entry> rest = new ArrayList<>();
    for (MemoryPlan.Entry entry : plan.entries()) {
      OptionalInt layer = Placement.layer(entry.name());
      if (layer.isPresent()) {
        String label = "layer %d".formatted(layer.getAsInt());
        groups.computeIfAbsent(label, l -> new Group(places.of(entry.name()))).add(entry);
      } else {
        rest.add(entry);
      }
    }
    for (MemoryPlan.Entry entry : rest) {
      String label =
          switch (entry.kind()) {
            case WEIGHTS -> entry.name();
            case CACHE, BUFFER -> "inputs and results";
            case SCRATCH -> label(entry);
          };
      groups.computeIfAbsent(label, l -> new Group(places.of(entry.name()))).add(entry);
    }
    return groups;
  }

  private static String label(MemoryPlan.Entry entry) {
    return entry.kind() == MemoryPlan.Kind.SCRATCH ? "scratch of " + entry.name() : entry.name();
  }

  private static String verdict(MemoryPlan plan, Backend backend) {
    if (!plan.fits()) {
      return plan.remedy();
    }
    if (backend instanceof HybridBackend hybrid) {
      return "fits: " + layers(hybrid, plan);
    }
    long free = backend.device().memoryBytes() - plan.resident();
    return "fits, " + ByteSize.format(free) + " of memory left";
  }

  private static String layers(HybridBackend hybrid, MemoryPlan plan) {
    int all =
        plan.entries().stream()
                .map(entry -> Placement.layer(entry.name()))
                .filter(OptionalInt::isPresent)
                .mapToInt(OptionalInt::getAsInt)
                .max()
                .orElse(-1)
            + 1;
    String first = hybrid.device(Side.FIRST).id();
    return switch (hybrid.placement()) {
      case Placement.Layers(int count) ->
          "%d of %d layers on %s, the rest on %s"
              .formatted(count, all, first, hybrid.device(Side.SECOND).id());
      default -> "all of it on " + first;
    };
  }
}
