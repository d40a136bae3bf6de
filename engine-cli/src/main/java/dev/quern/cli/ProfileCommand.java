package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.core.Limits;
import dev.quern.core.Precision;
import dev.quern.core.StepTime;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoadOptions;
import dev.quern.transformer.ModelSource;
import dev.quern.transformer.Session;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code quern profile}: where the time of a step goes. */
@Command(
    name = "profile",
    versionProvider = QuernVersion.class,
    description = {
      "Show a decode step operation by operation: time, bytes, and the share of what the device",
      "was measured to reach. Each step runs alone and is waited for, so that all together take",
      "longer than a step that is not watched."
    })
final class ProfileCommand extends Subcommand {
  private static final int DECODED = 16;

  @Mixin private ModelOptions model = new ModelOptions();
  @Mixin private ShapeOptions shape = new ShapeOptions();

  @Option(
      names = "--depth",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens that come before. Default: ${DEFAULT-VALUE}")
  private int depth;

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "1",
      description = "Tokens of the step: 1 for decoding, more for a prompt. Default: 1")
  private int rows;

  @Option(
      names = "--repeat",
      paramLabel = "N",
      defaultValue = "9",
      description = "Runs of which the median counts. Default: ${DEFAULT-VALUE}")
  private int repeat;

  @Option(names = "--steps", description = "Show each step, not one line for all layers.")
  private boolean steps;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Write the profile as JSON; - for standard output.")
  private @Nullable String json;

  ProfileCommand(Streams streams) {
    super(streams);
  }

  @Override
  public Integer call() throws IOException {
    UsageException.require("--depth", depth, 0);
    UsageException.require("--rows", rows, 1);
    UsageException.require("--repeat", repeat, 1);
    shape.check();
    LoadOptions options = model.load(Precision.FAST);
    options =
        options.withContext(Math.max(options.context(), depth + Math.max(rows, DECODED + 1) + 1));
    try (Backend backend = model.openBackend(model.backend())) {
      Limits limits = backend.measureLimits();
      ModelSource source = shape.open(model);
      String name = source.name() + " " + shape.format(source);
      try (LanguageModel loaded = ModelOptions.load(source, backend, options, streams)) {
        StepProfile profile = profile(loaded);
        double whole = rows == 1 ? 1e9 / decodeRate(loaded, backend) : 0;
        report(name, backend, limits, profile, whole);
      }
    }
    return 0;
  }

  private StepProfile profile(LanguageModel loaded) {
    try (Session session = loaded.newSession()) {
      session.append(new SplittableRandom(1).ints(depth + rows, 0, loaded.vocabulary()).toArray());
      shape.warmUp().run(() -> session.profileStep(rows));
      List<List<StepTime>> runs = new ArrayList<>();
      for (int i = 0; i < repeat; i++) {
        runs.add(session.profileStep(rows));
      }
      return StepProfile.of(runs, rows, depth + rows);
    }
  }

  /** Tokens per second when nobody watches. */
  private double decodeRate(LanguageModel loaded, Backend backend) {
    return new Stopwatch(loaded, backend, repeat, shape.warmUp())
        .decode(DECODED, depth, 1)
        .rates()
        .median();
  }

  private void report(
      String name, Backend backend, Limits limits, StepProfile profile, double wholeNanos)
      throws IOException {
    StepProfile shown = steps ? profile : profile.grouped();
    if (!"-".equals(json)) {
      print(name, backend, limits, shown, wholeNanos);
    }
    if (json != null) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("machine", Machine.describe());
      result.put("jvm", Machine.jvm());
      result.put("commit", Machine.commit());
      result.put("model", name);
      result.put("backend", backend.name());
      result.put("device", backend.device().name());
      result.put("precision", model.precision(Precision.FAST).name().toLowerCase(Locale.ROOT));
      result.put("rows", rows);
      result.put("depth", depth);
      result.put("readBytesPerSecond", limits.readBytesPerSecond());
      result.put("flopsPerSecond", limits.flopsPerSecond());
      result.put("wholeNanos", wholeNanos);
      result.put("steps", shown.lines().stream().map(ProfileCommand::fields).toList());
      String text = Json.text(result) + "\n";
      if (json.equals("-")) {
        streams.out().print(text);
      } else {
        Files.writeString(Path.of(json), text, StandardCharsets.UTF_8);
      }
    }
  }

  private static Map<String, Object> fields(StepProfile.Line line) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("what", line.what());
    fields.put("kernel", line.kernel());
    fields.put("steps", line.steps());
    fields.put("nanos", line.nanos());
    fields.put("bytes", line.cost().bytes());
    fields.put("flops", line.cost().flops());
    return fields;
  }

  private void print(
      String name, Backend backend, Limits limits, StepProfile profile, double wholeNanos) {
    StepProfile.Line total = profile.total();
    say(
        "%s on %s, %d token(s) at depth %d",
        name, model.describe(backend, Precision.FAST), rows, depth);
    say(
        "limits measured now: memory read at %.1f GB/s, float32 multiply-adds at %.0f GFLOP/s%n",
        limits.readBytesPerSecond() * 1e-9, limits.flopsPerSecond() * 1e-9);
    say(
        "%-44s %5s %10s %6s %9s %7s %8s %8s",
        "operation", "steps", "time", "", "MB", "GB/s", "GFLOP/s", "of limit");
    profile.lines().forEach(line -> print(line, total, limits));
    print(total, total, limits);
    if (wholeNanos > 0) {
      say(
          "%n%-50s %7.3f ms: %.1f tokens per second, %.0f %% of the limit of memory",
          "a step that is not watched",
          wholeNanos * 1e-6,
          1e9 / wholeNanos,
          100 * total.cost().bytes() / wholeNanos * 1e9 / limits.readBytesPerSecond());
    }
    streams.out().flush();
  }

  private void print(StepProfile.Line line, StepProfile.Line total, Limits limits) {
    say(
        "%-44s %5d %7.3f ms %4.0f %% %9.2f %7.1f %8.1f %6.0f %%",
        line.what(),
        line.steps(),
        line.nanos() * 1e-6,
        100 * line.nanos() / total.nanos(),
        line.cost().bytes() * 1e-6,
        line.bytesPerSecond() * 1e-9,
        line.flopsPerSecond() * 1e-9,
        100 * line.share(limits));
    if (steps && !line.kernel().isEmpty()) {
      say("    %s", line.kernel());
    }
  }

  @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency
  private void say(String format, @Nullable Object... values) {
    streams.out().println(String.format(Locale.ROOT, format, values));
  }
}
