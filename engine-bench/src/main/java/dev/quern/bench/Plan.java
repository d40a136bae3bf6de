package dev.quern.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a suite measures, and how long.
 *
 * @param name short, full, gpu, gate, or smoke: whether everything runs, its numbers mean nothing
 * @param warmups iterations before
 * @param cpuWarmups the same on the CPU backend, whose vector kernels C2 compiles for three
 *     seconds: until then a product takes 100 ms in place of 0.1 (two cores, JDK 25.0.3)
 * @param iterations iterations that count
 * @param millis length of an iteration
 * @param models models to decode and profile
 * @param questions benchmarks
 */
record Plan(
    String name,
    int warmups,
    int cpuWarmups,
    int iterations,
    int millis,
    List<Model> models,
    List<Question> questions) {
  /** The reference does some 10⁸ multiply-adds a second. */
  private static final long MOST_OF_REFERENCE = 100_000_000;

  /**
   * A model, built in or a shape with random weights.
   *
   * @param shape as {@code --shape}, or empty for the default model
   * @param quant as {@code --quant}
   * @param backends where it runs; empty for everywhere
   * @param lengths what {@code quern bench} is asked for, such as {@code --depth 0,4096}; empty for
   *     what two cores do in seconds
   * @param profiled whether a step of it is also looked at operation by operation
   */
  record Model(
      String shape, String quant, List<String> backends, List<String> lengths, boolean profiled) {
    /** The default model, everywhere. */
    static final Model BUILT_IN = of("", "");

    static Model of(String shape, String quant, String... backends) {
      return new Model(shape, quant, List.of(backends), List.of(), true);
    }

    boolean runsOn(String backend) {
      return backends.isEmpty() || backends.contains(backend);
    }

    List<String> bench(String backend) {
      if (!lengths.isEmpty()) {
        return arguments("bench", backend, lengths);
      }
      boolean slow = backend.equals("reference");
      return arguments(
          "bench",
          backend,
          List.of(
              "--prompt",
              slow ? "8" : "128",
              "--generate",
              slow ? "4" : "32",
              "--repeat",
              slow ? "1" : "5"));
    }

    List<String> profile(String backend) {
      boolean slow = backend.equals("reference");
      return arguments(
          "profile", backend, List.of("--depth", slow ? "8" : "128", "--repeat", slow ? "1" : "5"));
    }

    private List<String> arguments(String command, String backend, List<String> more) {
      List<String> arguments = new ArrayList<>(List.of(command, "--backend", backend));
      arguments.addAll(more);
      if (!shape.isEmpty()) {
        arguments.addAll(List.of("--shape", shape, "--quant", quant));
      }
      return arguments;
    }
  }

  /**
   * A benchmark.
   *
   * @param include what JMH includes
   * @param perBackend whether a parameter says on which backend it runs
   * @param backends on which; empty for all
   * @param parameters values of its parameters
   */
  record Question(
      String include,
      boolean perBackend,
      List<String> backends,
      Map<String, List<String>> parameters) {
    boolean runsOn(String backend) {
      return backends.isEmpty() || backends.contains(backend);
    }

    /** The parameters on a backend: the reference takes only products that are small enough. */
    Map<String, List<String>> parameters(String backend) {
      if (!backend.equals("reference") || !parameters.containsKey("n")) {
        return parameters;
      }
      Map<String, List<String>> small = new LinkedHashMap<>(parameters);
      long most = most("n") * most("k");
      small.computeIfPresent(
          "rows",
          (name, rows) ->
              rows.stream()
                  .filter(count -> Long.parseLong(count) * most <= MOST_OF_REFERENCE)
                  .toList());
      return small;
    }

    private long most(String name) {
      return parameters.getOrDefault(name, List.of("1")).stream()
          .mapToLong(Long::parseLong)
          .max()
          .orElse(1);
    }
  }

  /**
   * The suite of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Plan of(String name) {
    return switch (name) {
      case "gate" ->
          new Plan(name, 3, 10, 5, 400, List.of(Model.of("llama-1b", "Q4_K_M", "cpu")), gate());
      case "smoke" -> new Plan(name, 1, 1, 1, 50, List.of(Model.BUILT_IN), brief());
      case "short" ->
          new Plan(
              name,
              3,
              10,
              5,
              400,
              List.of(Model.BUILT_IN, Model.of("llama-1b", "Q4_K_M", "cpu")),
              brief());
      case "full" ->
          new Plan(
              name,
              3,
              5,
              5,
              1000,
              List.of(
                  Model.BUILT_IN,
                  Model.of("llama-1b", "Q4_K_M", "cpu", "opencl"),
                  Model.of("llama-1b", "Q4_0", "cpu"),
                  Model.of("llama-1b", "Q8_0", "cpu", "opencl"),
                  Model.of("llama-1b", "F16", "cpu"),
                  Model.of("llama-1b", "TQ2_0", "cpu", "opencl"),
                  Model.of("qwen3-0.6b", "Q4_K_M", "cpu", "opencl")),
              full());
      case "gpu" -> new Plan(name, 2, 2, 5, 500, large(), products());
      default ->
          throw new IllegalArgumentException(
              "suite: must be short, full, gpu, gate or smoke but is " + name);
    };
  }

  /** Iterations before those that count; an empty name is what runs on no backend. */
  int warmups(String backend) {
    return backend.equals("cpu") ? cpuWarmups : warmups;
  }

  /** Models for a large GPU, at the lengths by which engines are compared. */
  private static List<Model> large() {
    List<String> deep = lengths("512", "--depth", "0,4096");
    List<String> usual = lengths("512");
    return List.of(
        large("llama-8b", "Q4_K_M", deep, true),
        large("qwen3-4b", "Q4_K_M", usual, false),
        large("llama-1b", "Q4_K_M", usual, true),
        large("llama-1b", "F16", usual, false),
        large("llama-1b", "Q8_0", usual, false),
        large("llama-8b", "TQ2_0", usual, false),
        large("llama-8b", "Q4_K_M", lengths("128", "--depth", "128", "--sequences", "32"), false));
  }

  private static Model large(String shape, String quant, List<String> lengths, boolean profiled) {
    return new Model(shape, quant, List.of("opencl"), lengths, profiled);
  }

  private static List<String> lengths(String prompt, String... more) {
    List<String> lengths =
        new ArrayList<>(List.of("--prompt", prompt, "--generate", "128", "--repeat", "5"));
    lengths.addAll(List.of(more));
    return List.copyOf(lengths);
  }

  /** Single products of the shapes by which engines are compared. */
  private static List<Question> products() {
    List<String> opencl = List.of("opencl");
    return List.of(
        on(
            "ProjectionBench",
            opencl,
            Map.of(
                "format",
                List.of("Q4_K", "Q6_K", "Q8_0", "F16", "TQ2_0"),
                "rows",
                List.of("1", "8", "512"),
                "n",
                List.of("4096"),
                "k",
                List.of("14336"))),
        on(
            "ProjectionBench",
            opencl,
            Map.of(
                "format",
                List.of("F16"),
                "rows",
                List.of("2048"),
                "n",
                List.of("14336"),
                "k",
                List.of("4096"))),
        alone("BindingBench"));
  }

  private static List<Question> gate() {
    return List.of(
        on(
            "ProjectionBench",
            List.of("reference", "cpu"),
            Map.of(
                "format",
                List.of("Q4_K"),
                "rows",
                List.of("1"),
                "n",
                List.of("2048"),
                "k",
                List.of("2048"))),
        on(
            "BatchingBench",
            List.of("cpu", "opencl"),
            Map.of("hidden", List.of("320"), "between", List.of("896"))),
        on("ResidencyBench", List.of("cpu", "opencl"), Map.of()));
  }

  private static List<Question> brief() {
    List<String> named = List.of("F32", "Q4_K", "TQ2_0");
    Map<String, List<String>> square = Map.of("n", List.of("2048"), "k", List.of("2048"));
    return List.of(
        all("ProjectionBench", with(square, Map.of("format", named, "rows", List.of("1", "128")))),
        all("ElementwiseBench", Map.of("rows", List.of("512"))),
        on(
            "BatchingBench",
            List.of("cpu", "opencl"),
            Map.of("hidden", List.of("320"), "between", List.of("896"))),
        on("ResidencyBench", List.of("cpu", "opencl"), Map.of()),
        all("AttentionBench", Map.of("depth", List.of("1024"))),
        all("ModelBench", Map.of("chunk", List.of("64"))),
        on("CompileBench", List.of("opencl"), Map.of()),
        alone("BindingBench"),
        alone("FilesBench"));
  }

  private static List<Question> full() {
    List<String> formats = List.of("F32", "F16", "Q8_0", "Q4_0", "Q4_K", "Q6_K", "TQ2_0");
    List<String> rows = List.of("1", "8", "128", "512");
    List<String> precisions = List.of("FAST", "EXACT");
    List<Question> questions = new ArrayList<>();
    for (List<String> size :
        List.of(List.of("512", "512"), List.of("2048", "2048"), List.of("14336", "4096"))) {
      questions.add(
          all(
              "ProjectionBench",
              Map.of(
                  "format",
                  formats,
                  "rows",
                  rows,
                  "precision",
                  precisions,
                  "n",
                  List.of(size.getFirst()),
                  "k",
                  List.of(size.getLast()))));
    }
    questions.addAll(
        List.of(
            all("ElementwiseBench", Map.of("rows", List.of("1", "512"))),
            on(
                "BatchingBench",
                List.of("cpu", "opencl"),
                Map.of("hidden", List.of("320"), "between", List.of("896"))),
            on(
                "BatchingBench",
                List.of("cpu", "opencl"),
                Map.of("hidden", List.of("2048"), "between", List.of("8192"))),
            on("ResidencyBench", List.of("cpu", "opencl"), Map.of()),
            all("AttentionBench", Map.of("depth", List.of("128", "1024", "8192"))),
            all("ModelBench", Map.of("precision", precisions)),
            on("CompileBench", List.of("cpu", "opencl"), Map.of()),
            alone("BindingBench"),
            alone("FilesBench")));
    return List.copyOf(questions);
  }

  private static Map<String, List<String>> with(
      Map<String, List<String>> some, Map<String, List<String>> more) {
    Map<String, List<String>> all = new LinkedHashMap<>(some);
    all.putAll(more);
    return all;
  }

  private static Question all(String include, Map<String, List<String>> parameters) {
    return new Question(include, true, List.of(), parameters);
  }

  private static Question on(
      String include, List<String> backends, Map<String, List<String>> parameters) {
    return new Question(include, true, backends, parameters);
  }

  private static Question alone(String include) {
    return new Question(include, false, List.of(""), Map.of());
  }
}
