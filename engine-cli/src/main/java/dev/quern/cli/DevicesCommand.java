package dev.quern.cli;

import dev.quern.core.Backends;
import dev.quern.core.Device;
import dev.quern.core.Probe;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code quern devices}: what could run a model, and why the rest could not. */
@Command(
    name = "devices",
    versionProvider = QuernVersion.class,
    description = "List backends and devices, best first, and why one is not usable.")
final class DevicesCommand extends Subcommand {
  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  DevicesCommand(Streams streams) {
    super(streams);
  }

  @Override
  public Integer call() {
    List<Backends.Found> found = Backends.list();
    if (json) {
      List<Object> providers = new ArrayList<>();
      found.forEach(provider -> providers.add(describe(provider)));
      streams.out().println(Json.text(Map.of("providers", providers)));
    } else {
      found.forEach(this::print);
    }
    return 0;
  }

  private static Map<String, Object> describe(Backends.Found found) {
    Map<String, Object> provider = new LinkedHashMap<>();
    provider.put("name", found.provider().name());
    switch (found.probe()) {
      case Probe.Usable usable -> {
        provider.put("usable", true);
        provider.put("rank", usable.rank());
        provider.put("devices", usable.devices().stream().map(DevicesCommand::describe).toList());
      }
      case Probe.Unusable unusable -> {
        provider.put("usable", false);
        provider.put("reason", unusable.reason());
        provider.put("devices", List.of());
      }
    }
    return provider;
  }

  private static Map<String, Object> describe(Device device) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", device.id());
    fields.put("name", device.name());
    fields.put("vendor", device.vendor());
    fields.put("kind", device.kind().name().toLowerCase(Locale.ROOT));
    fields.put("memoryBytes", device.memoryBytes());
    fields.put("maxAllocationBytes", device.maxAllocationBytes());
    fields.put("computeUnits", device.computeUnits());
    fields.put("driver", device.driver());
    fields.put("features", device.features());
    return fields;
  }

  private void print(Backends.Found found) {
    String name = found.provider().name();
    switch (found.probe()) {
      case Probe.Unusable unusable ->
          streams.out().println(name + ": not usable: " + unusable.reason());
      case Probe.Usable usable -> {
        String choice = usable.rank() == Probe.BY_NAME_ONLY ? " (by name only)" : "";
        streams.out().println(name + choice + ":");
        for (Device device : usable.devices()) {
          streams.out().println("  " + line(device));
          if (!device.features().isEmpty()) {
            streams.out().println("    " + String.join(", ", device.features()));
          }
        }
      }
    }
  }

  private static String line(Device device) {
    return String.format(
        Locale.ROOT,
        "%s  %s (%s), %s, %.1f GiB%s, %d units, %s",
        device.id(),
        device.name(),
        device.vendor(),
        device.kind().name().toLowerCase(Locale.ROOT),
        device.memoryBytes() / (double) (1L << 30),
        device.maxAllocationBytes() < device.memoryBytes()
            ? String.format(
                Locale.ROOT,
                " in allocations of at most %.1f GiB",
                device.maxAllocationBytes() / (double) (1L << 30))
            : "",
        device.computeUnits(),
        device.driver());
  }
}
