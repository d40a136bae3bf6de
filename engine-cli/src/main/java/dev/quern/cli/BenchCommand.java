package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.core.Limits;
import dev.quern.core.Precision;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoadOptions;
import dev.quern.transformer.ModelSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code quern bench}: tokens per second. */
@Command(
    name = "bench",
    versionProvider = QuernVersion.class,
    description = {
      "Measure tokens per second.",
      "With --shape: random weights in the shape of a published model; else the model of --model."
    })
final class BenchCommand extends Subcommand {
  @Mixin private ModelOptions model = new ModelOptions();
  @Mixin private ShapeOptions shape = new ShapeOptions();

  @Option(
      names = "--prompt",
      paramLabel = "N",
      defaultValue = "512",
      description = "Tokens of the prompt. Default: ${DEFAULT-VALUE}")
  private int prompt;

  @Option(
      names = "--generate",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens to generate. Default: ${DEFAULT-VALUE}")
  private int generate;

  @Option(
      names = "--depth",
      paramLabel = "N",
      split = ",",
      defaultValue = "0",
      description = "Tokens that come before, several with commas. Default: ${DEFAULT-VALUE}")
  private int[] depths = {0};

  @Option(
      names = "--sequences",
      paramLabel = "N",
      split = ",",
      defaultValue = "1",
      description = "Sequences that grow together, several with commas. Default: ${DEFAULT-VALUE}")
  private int[] sequences = {1};

  @Option(
      names = "--repeat",
      paramLabel = "N",
      defaultValue = "5",
      description = "Measurements of which the median counts. Default: ${DEFAULT-VALUE}")
  private int repeat;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Write the results as JSON; - for standard output.")
  private @Nullable String json;

  private double jvmSeconds;

  BenchCommand(Streams streams) {
    super(streams);
  }

  @Override
  public Integer call() throws IOException {
    jvmSeconds = StartUp.secondsOfJvm();
    UsageException.require("--prompt", prompt, 1);
    UsageException.require("--generate", generate, 1);
    UsageException.require("--repeat", repeat, 1);
    Arrays.stream(depths).forEach(depth -> UsageException.require("--depth", depth, 0));
    Arrays.stream(sequences).forEach(count -> UsageException.require("--sequences", count, 1));
    shape.check();
    List<Object> runs = new ArrayList<>();
    for (String backend : model.backend().split(",", -1)) {
      runs.addAll(measure(backend));
    }
    if (json != null) {
      write(json, runs);
    }
    return 0;
  }

  private List<Object> measure(String name) throws IOException {
    int deepest = Arrays.stream(depths).max().orElse(0);
    LoadOptions options = model.load(Precision.FAST);
    options =
        options
            .withContext(Math.max(options.context(), Math.max(prompt + 1, deepest + generate + 2)))
            .withSequences(Arrays.stream(sequences).max().orElse(1));
    long start = System.nanoTime();
    try (Backend backend = model.openBackend(name)) {
      double open = StartUp.seconds(System.nanoTime() - start);
      ModelSource source = shape.open(model);
      String format = shape.format(source);
      start = System.nanoTime();
      try (LanguageModel loaded = ModelOptions.load(source, backend, options, streams)) {
        double load = StartUp.seconds(System.nanoTime() - start);
        StartUp.Upload upload = StartUp.Upload.of(backend.statistics());
        Stopwatch stopwatch = new Stopwatch(loaded, backend, repeat, shape.warmUp());
        double first = stopwatch.firstToken(prompt);
        StartUp startUp = new StartUp(jvmSeconds, open, load, first, upload);
        return runs(stopwatch, backend, source.name(), format, startUp);
      }
    }
  }

  private List<Object> runs(
      Stopwatch stopwatch, Backend backend, String name, String format, StartUp startUp) {
    say("%s %s on %s: %s".formatted(name, format, backend.name(), startUp.describe()));
    Limits limits = backend.measureLimits();
    Rates read = stopwatch.prompt(prompt);
    List<Object> runs = new ArrayList<>();
    for (int depth : depths) {
      for (int count : sequences) {
        Stopwatch.Decoded decoded = stopwatch.decode(generate, depth, count);
        Map<String, Object> run = new LinkedHashMap<>();
        run.put("model", name);
        run.put("quant", format);
        run.put("backend", backend.name());
        run.put("device", backend.device().name());
        run.put("precision", model.precision(Precision.FAST).name().toLowerCase(Locale.ROOT));
        run.put("upload", startUp.upload().fields());
        run.put("start", startUp.fields());
        run.put("prompt", read.addTo(Map.of("tokens", prompt)));
        Map<String, Object> decode = new LinkedHashMap<>();
        decode.put("tokens", generate);
        decode.put("depth", depth);
        decode.put("sequences", count);
        decode = decoded.rates().addTo(decode);
        decode.put("weightBytes", decoded.weightBytes());
        run.put("decode", decode);
        run.put("readBytesPerSecond", limits.readBytesPerSecond());
        run.put("flopsPerSecond", limits.flopsPerSecond());
        runs.add(run);
        print(name + " " + format, backend, read, decoded, depth, count, limits);
      }
    }
    return runs;
  }

  private void print(
      String what,
      Backend backend,
      Rates read,
      Stopwatch.Decoded decoded,
      int depth,
      int count,
      Limits limits) {
    double streamed = decoded.rates().median() / count * decoded.weightBytes();
    say(
        String.format(
            Locale.ROOT,
            "%s on %s (%s): prompt of %d %.1f tok/s; %d sequence(s) at depth %d %.1f tok/s"
                + " (%.1f to %.1f), %.1f GB/s of weights, %.0f %% of the %.1f that memory gives",
            what,
            backend.name(),
            backend.device().name(),
            prompt,
            read.median(),
            count,
            depth,
            decoded.rates().median(),
            decoded.rates().min(),
            decoded.rates().max(),
            streamed * 1e-9,
            100 * streamed / limits.readBytesPerSecond(),
            limits.readBytesPerSecond() * 1e-9));
  }

  private void say(String line) {
    if (!"-".equals(json)) {
      streams.out().println(line);
      streams.out().flush();
    }
  }

  private void write(String file, List<Object> runs) throws IOException {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("machine", Machine.describe());
    result.put("jvm", Machine.jvm());
    result.put("commit", Machine.commit());
    result.put("runs", runs);
    String text = Json.text(result) + "\n";
    if (file.equals("-")) {
      streams.out().print(text);
    } else {
      Files.writeString(Path.of(file), text, StandardCharsets.UTF_8);
    }
  }
}
