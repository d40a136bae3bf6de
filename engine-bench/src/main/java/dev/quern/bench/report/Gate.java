package dev.quern.bench.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Watches ratios that do not depend on how fast a machine is, each with a floor: what the CPU
 * backend gains over the reference, what batches and resident weights gain, and how much of the
 * measured memory bandwidth decoding uses. Writes one line of JSON a run.
 */
public final class Gate {
  /**
   * A ratio and the least it may be.
   *
   * @param name what it is
   * @param value what was measured, by the fastest iteration of each; empty if it was not
   * @param floor below it the gate fails
   */
  record Ratio(String name, Optional<Double> value, double floor) {
    boolean holds() {
      return value.isEmpty() || value.get() >= floor;
    }
  }

  private Gate() {}

  /**
   * Checks a result.
   *
   * @param arguments the result, and the folder of the history
   */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 2) {
      System.err.println("usage: RESULT HISTORY");
      System.exit(2);
    }
    Results results = Results.read(Path.of(arguments[0]));
    List<Ratio> ratios = ratios(results);
    write(results, ratios, Path.of(arguments[1]));
    ratios.forEach(Gate::print);
    if (ratios.stream().allMatch(ratio -> ratio.value.isEmpty())) {
      System.err.println("gate: a ratio must be measured but none is");
      System.exit(1);
    }
    if (!ratios.stream().allMatch(Ratio::holds)) {
      System.err.println("gate: every ratio must reach its floor but some do not, see above");
      System.exit(1);
    }
  }

  /**
   * The ratios of a result. Floors are some 0.6 of the least that was seen: machines are shared and
   * medians move. Those below 1 only say that the better way has not become a much worse one: the
   * CPU backend gains nothing by batches of this size, and to a device that shares the host's
   * memory an upload is one copy.
   */
  static List<Ratio> ratios(Results results) {
    return List.of(
        new Ratio(
            "cpu over reference, Q4_K product",
            q4k(results, "reference").flatMap(a -> q4k(results, "cpu").map(b -> a / b)),
            65),
        new Ratio(
            "one batch over one by one, cpu",
            gain(results, "BatchingBench", "oneByOne", "cpu", "oneBatch", "cpu"),
            0.5),
        new Ratio(
            "one batch over one by one, opencl",
            gain(results, "BatchingBench", "oneByOne", "opencl", "oneBatch", "opencl"),
            1.15),
        new Ratio(
            "resident over uploaded, cpu",
            gain(results, "ResidencyBench", "uploadEachCall", "cpu", "resident", "cpu"),
            10),
        new Ratio(
            "resident over uploaded, opencl",
            gain(results, "ResidencyBench", "uploadEachCall", "opencl", "resident", "opencl"),
            0.65),
        new Ratio(
            "decode bandwidth over measured read bandwidth, cpu",
            results.largestProfile("cpu").map(Results::bandwidthShare),
            0.23));
  }

  private static Optional<Double> q4k(Results results, String backend) {
    return results.operations().stream()
        .filter(o -> o.question().equals("ProjectionBench") && o.backend().equals(backend))
        .filter(o -> o.parameter("format").equals("Q4_K") && o.parameter("rows").equals("1"))
        .map(Results.Operation::leastNanos)
        .findFirst();
  }

  private static Optional<Double> gain(
      Results results, String question, String slow, String slowOn, String fast, String fastOn) {
    return results
        .find(question, slow, slowOn)
        .flatMap(
            a -> results.find(question, fast, fastOn).map(b -> a.leastNanos() / b.leastNanos()));
  }

  private static void print(Ratio ratio) {
    System.out.printf(
        Locale.ROOT,
        "%-52s %8s  floor %.2f  %s%n",
        ratio.name,
        ratio.value.map(v -> String.format(Locale.ROOT, "%.2f", v)).orElse("-"),
        ratio.floor,
        ratio.value.isEmpty() ? "not measured" : ratio.holds() ? "holds" : "FAILS");
  }

  private static void write(Results results, List<Ratio> ratios, Path history) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode line = mapper.createObjectNode();
    for (String field : List.of("date", "commit", "machine", "jvm")) {
      line.put(field, results.text(field));
    }
    ObjectNode values = line.putObject("ratios");
    ratios.forEach(ratio ->
        ratio.value.ifPresent(value -> values.put(ratio.name, Math.round(value * 1000) / 1000.0)));
    Files.createDirectories(history);
    String commit = results.text("commit");
    String name =
        "%s-%s.json"
            .formatted(
                results.text("date").replace(":", "").replace("Z", ""),
                commit.substring(0, Math.min(8, commit.length())));
    Files.writeString(history.resolve(name), mapper.writeValueAsString(line) + "\n");
  }
}
