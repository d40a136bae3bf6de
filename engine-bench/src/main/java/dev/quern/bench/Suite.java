package dev.quern.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.core.Backends;
import dev.quern.core.Probe;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Measures everything that the report shows and writes one JSON file: the benchmarks, models by
 * {@code quern bench}, and steps by {@code quern profile}, with machine, date, commit, JVM and
 * flags. Run by {@code scripts/bench.sh short|full|gpu|gate}.
 */
public final class Suite {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Plan plan;
  private final List<String> backends;
  private final Path file;
  private final ObjectNode result = JSON.createObjectNode();

  private Suite(Plan plan, List<String> backends, Path file) {
    this.file = file;
    this.plan = plan;
    this.backends = backends;
  }

  /**
   * Runs a suite.
   *
   * @param arguments the name of a {@link Plan}; the file to write; and, if they are not those that
   *     are usable, backends with commas
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    if (arguments.length < 2 || arguments.length > 3) {
      System.err.println("usage: short|full|gpu|gate|smoke FILE [BACKEND,...]");
      System.exit(2);
    }
    List<String> backends = arguments.length == 3 ? List.of(arguments[2].split(",", -1)) : usable();
    Plan plan = Plan.of(arguments[0]);
    long start = System.nanoTime();
    Path file = Path.of(arguments[1]);
    Files.createDirectories(file.toAbsolutePath().getParent());
    new Suite(plan, backends, file).run();
    System.out.printf(
        Locale.ROOT,
        "suite %s: %d s, %s%n",
        plan.name(),
        (System.nanoTime() - start) / 1_000_000_000L,
        file);
  }

  private static List<String> usable() {
    return Backends.list().stream()
        .filter(found ->
            found.probe() instanceof Probe.Usable usable && usable.rank() > Probe.BY_NAME_ONLY)
        .map(found -> found.provider().name())
        .sorted()
        .toList();
  }

  private void run() throws IOException, InterruptedException {
    result.put("suite", plan.name());
    result.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    result
        .putArray("flags")
        .addAll(
            ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .map(JSON.getNodeFactory()::textNode)
                .toList());
    ArrayNode profiles = result.putArray("profiles");
    ArrayNode models = result.putArray("models");
    for (Plan.Model model : plan.models()) {
      for (String backend : backends) {
        if (model.runsOn(backend)) {
          if (model.profiled()) {
            profiles.add(command(model.profile(backend)));
          }
          JsonNode bench = command(model.bench(backend));
          models.addAll((ArrayNode) bench.get("runs"));
          for (String field : List.of("machine", "jvm", "commit")) {
            result.set(field, bench.get(field));
          }
          save();
        }
      }
    }
    ArrayNode operations = result.putArray("operations");
    for (Plan.Question question : plan.questions()) {
      for (String backend : question.perBackend() ? backends : List.of("")) {
        if (question.runsOn(backend)) {
          (question.include().equals("CompileBench")
                  ? withoutDriverCaches(question, backend)
                  : measure(question, backend))
              .forEach(operations::add);
          save();
        }
      }
    }
  }

  /** After each piece, so that a run that is ended early leaves what it has. */
  private void save() throws IOException {
    JSON.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), result);
  }

  /** A command in a JVM of its own, as a user runs it; its JSON. */
  private static JsonNode command(List<String> arguments) throws IOException, InterruptedException {
    Path file = Files.createTempFile("quern", ".json");
    List<String> line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "-Dquern.commit=" + System.getProperty("quern.commit", ""),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "dev.quern.cli.QuernCommand"));
    line.addAll(arguments);
    line.addAll(List.of("--json", file.toString()));
    System.out.println("# quern " + String.join(" ", arguments));
    int status = new ProcessBuilder(line).inheritIO().start().waitFor();
    if (status != 0) {
      throw new IOException(
          "quern %s: must succeed but its status is %d"
              .formatted(String.join(" ", arguments), status));
    }
    JsonNode read = JSON.readTree(file.toFile());
    Files.delete(file);
    return read;
  }

  private List<ObjectNode> measure(Plan.Question question, String backend) {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("\\." + question.include())
            .shouldFailOnError(true)
            .warmupIterations(plan.warmups(backend))
            .warmupTime(TimeValue.milliseconds(plan.millis()))
            .measurementIterations(plan.iterations())
            .measurementTime(TimeValue.milliseconds(plan.millis()));
    if (question.perBackend()) {
      options.param("backend", backend);
    }
    for (Map.Entry<String, List<String>> parameter : question.parameters(backend).entrySet()) {
      options.param(parameter.getKey(), parameter.getValue().toArray(String[]::new));
    }
    try {
      return new Runner(options.build()).run().stream().map(Suite::fields).toList();
    } catch (RunnerException e) {
      throw new IllegalStateException(question.include() + ": must run but does not", e);
    }
  }

  /** In a process whose environment tells the drivers to keep no programs of their own. */
  private static List<ObjectNode> withoutDriverCaches(Plan.Question question, String backend)
      throws IOException, InterruptedException {
    Path file = Files.createTempFile("quern", ".json");
    ProcessBuilder process =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            "org.openjdk.jmh.Main",
            "\\." + question.include(),
            "-p",
            "backend=" + backend,
            "-foe",
            "true",
            "-rf",
            "json",
            "-rff",
            file.toString());
    process.environment().putAll(Map.of("POCL_KERNEL_CACHE", "0", "CUDA_CACHE_DISABLE", "1"));
    int status = process.inheritIO().start().waitFor();
    if (status != 0) {
      throw new IOException(question.include() + ": must succeed but its status is " + status);
    }
    List<ObjectNode> results = new ArrayList<>();
    for (JsonNode run : JSON.readTree(file.toFile())) {
      ObjectNode fields = JSON.createObjectNode();
      String[] names = run.get("benchmark").asText().split("\\.", -1);
      fields.put("question", names[names.length - 2]);
      fields.put("method", names[names.length - 1]);
      fields.set("parameters", run.get("params"));
      JsonNode time = run.get("primaryMetric");
      double nanos = 1e6; // the benchmark's unit is milliseconds
      JsonNode spread = time.get("scorePercentiles");
      fields.put("nanos", spread.get("50.0").asDouble() * nanos);
      fields.put("leastNanos", spread.get("0.0").asDouble() * nanos);
      fields.put("mostNanos", spread.get("100.0").asDouble() * nanos);
      results.add(fields);
    }
    Files.delete(file);
    return results;
  }

  private static ObjectNode fields(RunResult run) {
    ObjectNode fields = JSON.createObjectNode();
    String[] names = run.getParams().getBenchmark().split("\\.", -1);
    fields.put("question", names[names.length - 2]);
    fields.put("method", names[names.length - 1]);
    ObjectNode parameters = fields.putObject("parameters");
    run.getParams()
        .getParamsKeys()
        .forEach(key -> parameters.put(key, run.getParams().getParam(key)));
    Result<?> time = run.getPrimaryResult();
    double unit = run.getParams().getTimeUnit().toNanos(1);
    fields.put("nanos", time.getStatistics().getPercentile(50) * unit);
    // the fastest iteration is what noise of others disturbs least
    fields.put("leastNanos", time.getStatistics().getMin() * unit);
    fields.put("mostNanos", time.getStatistics().getMax() * unit);
    run.getSecondaryResults()
        .forEach((name, metric) -> fields.put(name, metric.getStatistics().getMean()));
    return fields;
  }
}
