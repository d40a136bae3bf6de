package dev.quern.bench.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** What {@link dev.quern.bench.Suite} wrote for one machine. */
public record Results(JsonNode root) {
  private static final int LONG_NAME = 60;

  /** Reads a file. */
  public static Results read(Path file) throws IOException {
    return new Results(new ObjectMapper().readTree(file.toFile()));
  }

  /**
   * A measured operation.
   *
   * @param question the benchmark's class
   * @param method its method
   * @param parameters its parameters
   * @param nanos median time of the iterations
   * @param leastNanos time of the fastest iteration
   * @param mostNanos time of the slowest iteration
   * @param bytes bytes that it must move; 0 if it does not say
   * @param flops float32 operations
   * @param error normalised mean square error
   */
  public record Operation(
      String question,
      String method,
      Map<String, String> parameters,
      double nanos,
      double leastNanos,
      double mostNanos,
      double bytes,
      double flops,
      double error) {
    /** A parameter, or nothing. */
    public String parameter(String name) {
      return parameters.getOrDefault(name, "");
    }

    /** The backend, or nothing. */
    public String backend() {
      return parameter("backend");
    }

    /** What it is, whatever runs it. */
    public String what() {
      String rows = parameter("rows").isEmpty() ? "" : ", %s rows".formatted(parameter("rows"));
      String one = rows.replace(", 1 rows", ", 1 row");
      String exact = parameter("precision").equals("EXACT") ? ", exact" : "";
      return switch (question) {
        case "ProjectionBench" ->
            "%s %s, %s×%s%s%s"
                .formatted(kind(), parameter("format"), parameter("n"), parameter("k"), one, exact);
        case "ElementwiseBench" -> "%s, %s%s".formatted(parameter("op"), parameter("length"), one);
        case "AttentionBench" -> "attention at depth %s".formatted(parameter("depth"));
        default -> question.replace("Bench", "") + " " + method;
      };
    }

    /** What it is, as short as a chart needs it. */
    public String label() {
      return switch (question) {
        case "ProjectionBench" -> "%s ×%s".formatted(parameter("format"), parameter("rows"));
        case "ElementwiseBench" -> parameter("op");
        case "AttentionBench" -> "attention";
        default -> method;
      };
    }

    private String kind() {
      String format = parameter("format");
      return switch (format) {
        case "F32", "F16", "BF16" -> "matmul";
        case "TQ1_0", "TQ2_0" -> "ternary-matmul";
        default -> "dequant-matmul";
      };
    }

    double gigabytesPerSecond() {
      return bytes / nanos;
    }

    double gigaflops() {
      return flops / nanos;
    }
  }

  /** What a device was measured to reach. */
  public record Ceiling(double gigabytesPerSecond, double gigaflops) {}

  /** A text field such as {@code machine}. */
  public String text(String field) {
    return root.path(field).asText("unknown");
  }

  /** All operations in the order in which they ran. */
  public List<Operation> operations() {
    List<Operation> operations = new ArrayList<>();
    for (JsonNode node : root.path("operations")) {
      Map<String, String> parameters = new TreeMap<>();
      node.path("parameters")
          .properties()
          .forEach(p -> parameters.put(p.getKey(), p.getValue().asText()));
      operations.add(
          new Operation(
              node.path("question").asText(),
              node.path("method").asText(),
              parameters,
              node.path("nanos").asDouble(),
              node.path("leastNanos").asDouble(node.path("nanos").asDouble()),
              node.path("mostNanos").asDouble(node.path("nanos").asDouble()),
              node.path("bytes").asDouble(),
              node.path("flops").asDouble(),
              node.path("error").asDouble()));
    }
    return operations;
  }

  /** Operations of a question on all backends, by what they are. */
  public Map<String, Map<String, Operation>> compared(String... questions) {
    Map<String, Map<String, Operation>> compared = new LinkedHashMap<>();
    List<String> wanted = List.of(questions);
    for (Operation operation : operations()) {
      if (wanted.contains(operation.question)) {
        compared
            .computeIfAbsent(operation.what(), what -> new LinkedHashMap<>())
            .put(operation.backend(), operation);
      }
    }
    return compared;
  }

  /** The operation of a benchmark's method on a backend, if it was measured. */
  public Optional<Operation> find(String question, String method, String backend) {
    return operations().stream()
        .filter(o -> o.question.equals(question) && o.method.equals(method))
        .filter(o -> backend.isEmpty() || o.backend().equals(backend))
        .findFirst();
  }

  /** The profiles of steps. */
  public List<JsonNode> profiles() {
    return StreamSupport.stream(root.path("profiles").spliterator(), false).toList();
  }

  /** The runs of models. */
  public List<JsonNode> models() {
    return StreamSupport.stream(root.path("models").spliterator(), false).toList();
  }

  /** What a run of a model is: its name, weights, and at which depth and for how many sequences. */
  public static String name(JsonNode run) {
    int depth = run.path("decode").path("depth").asInt();
    int sequences = run.path("decode").path("sequences").asInt(1);
    return "%s, %s%s%s"
        .formatted(
            run.path("model").asText(),
            run.path("quant").asText(),
            depth == 0 ? "" : ", depth " + depth,
            sequences == 1 ? "" : ", %d sequences".formatted(sequences));
  }

  /** What a machine is: its processor, and what OpenCL ran on. */
  public String machine() {
    String devices =
        profiles().stream()
            .filter(p -> p.path("backend").asText().equals("opencl"))
            .map(p -> "; OpenCL on " + p.path("device").asText())
            .distinct()
            .collect(Collectors.joining());
    return text("machine") + devices;
  }

  /** When, from which commit, on which JVM, with which flags it was measured, in Markdown. */
  String provenance() {
    List<String> flags = new ArrayList<>();
    for (JsonNode flag : root().path("flags")) {
      if (!flag.asText().startsWith("-Dquern.commit=")) {
        flags.add(flag.asText());
      }
    }
    return "%s, commit %s, %s, flags `%s`, suite `%s`."
        .formatted(
            text("date").replaceFirst("T.*", ""),
            shortened(text("commit")),
            text("jvm"),
            String.join(" ", flags),
            text("suite"));
  }

  private static String shortened(String commit) {
    return commit.length() > 12 ? commit.substring(0, 12) : commit;
  }

  /** What a step does: operations without their kind, or how many if there are many in one. */
  public static String step(JsonNode step) {
    String what = step.path("what").asText();
    if (what.length() <= LONG_NAME) {
      return what;
    }
    List<String> parts =
        Stream.of(what.split(" \\+ ", -1)).map(p -> p.replaceFirst("^\\S+-matmul ", "")).toList();
    String shorter = String.join(" + ", parts);
    return shorter.length() <= LONG_NAME
        ? shorter
        : "%d kinds of operation as one".formatted(parts.size());
  }

  /** The backends, those that profiles name, in their order. */
  public List<String> backends() {
    return profiles().stream().map(p -> p.path("backend").asText()).distinct().toList();
  }

  /** The best that was measured of a backend's device in this run. */
  public Optional<Ceiling> ceiling(String backend) {
    return profiles().stream()
        .filter(profile -> profile.path("backend").asText().equals(backend))
        .map(profile ->
            new Ceiling(
                profile.path("readBytesPerSecond").asDouble() * 1e-9,
                profile.path("flopsPerSecond").asDouble() * 1e-9))
        .reduce((a, b) ->
            new Ceiling(
                Math.max(a.gigabytesPerSecond, b.gigabytesPerSecond),
                Math.max(a.gigaflops, b.gigaflops)));
  }

  /** Where the time of the largest model's step on a backend goes, if it was profiled. */
  public Optional<JsonNode> largestProfile(String backend) {
    return profiles().stream()
        .filter(profile -> profile.path("backend").asText().equals(backend))
        .max((a, b) -> Double.compare(bytes(a), bytes(b)));
  }

  /** Bytes that a profiled step must move. */
  public static double bytes(JsonNode profile) {
    return StreamSupport.stream(profile.path("steps").spliterator(), false)
        .mapToDouble(step -> step.path("bytes").asDouble())
        .sum();
  }

  /** The share of the measured read bandwidth that a decode step that is not watched uses. */
  public static double bandwidthShare(JsonNode profile) {
    return bytes(profile)
        / profile.path("wholeNanos").asDouble()
        * 1e9
        / profile.path("readBytesPerSecond").asDouble();
  }
}
