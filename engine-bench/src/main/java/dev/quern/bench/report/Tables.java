package dev.quern.bench.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.bench.report.Results.Ceiling;
import dev.quern.bench.report.Results.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The tables that the page and the document have of one machine. */
record Tables(Results results) {
  /** All that have rows, in the order of the page. */
  List<Table> all() {
    List<Table> tables = new ArrayList<>();
    tables.add(ceilings());
    tables.add(operations());
    tables.add(models());
    tables.add(design());
    tables.add(calls());
    for (String backend : results.backends()) {
      results
          .largestProfile(backend)
          .filter(p -> !backend.equals("reference"))
          .map(Tables::step)
          .ifPresent(tables::add);
    }
    return tables.stream().filter(table -> !table.rows().isEmpty()).toList();
  }

  private Table ceilings() {
    Table.Builder table =
        Table.of(
            "What the devices reach at best",
            "Measured in the same run by loops that only load, and that only multiply and add.",
            "backend",
            "device",
            "memory read, GB/s",
            "float32, GFLOP/s");
    for (String backend : results.backends()) {
      Ceiling ceiling = results.ceiling(backend).orElseThrow();
      table.row(
          backend,
          results.largestProfile(backend).orElseThrow().path("device").asText(),
          Table.number(ceiling.gigabytesPerSecond()),
          Table.number(ceiling.gigaflops()));
    }
    return table.build();
  }

  private Table operations() {
    Table.Builder table =
        Table.of(
            "Operations",
            "Median time of the iterations (least to largest), and times as fast as the scalar"
                + " reference and as the Vector API. In brackets behind a rate its share of the ceiling: above 100 % of memory means that the operands lay in a cache. Error:"
                + " normalised mean square against the reference.",
            "operation",
            "backend",
            "time",
            "over reference",
            "over cpu",
            "GB/s",
            "GFLOP/s",
            "error");
    results
        .compared("ProjectionBench", "ElementwiseBench", "AttentionBench")
        .forEach((what, on) ->
            on.forEach((backend, operation) -> {
              Optional<Ceiling> ceiling = results.ceiling(backend);
              table.row(
                  what,
                  backend,
                  spread(operation),
                  ratio(on.get("reference"), operation),
                  backend.equals("reference") ? "–" : ratio(on.get("cpu"), operation),
                  rate(operation.gigabytesPerSecond(), ceiling.map(Ceiling::gigabytesPerSecond)),
                  rate(operation.gigaflops(), ceiling.map(Ceiling::gigaflops)),
                  operation.error() == 0
                      ? "0"
                      : String.format(Locale.ROOT, "%.0e", operation.error()));
            }));
    return table.build();
  }

  private static String spread(Operation operation) {
    return Table.spread(operation.leastNanos(), operation.nanos(), operation.mostNanos());
  }

  private static String ratio(@Nullable Operation slow, Operation fast) {
    return slow == null || slow.equals(fast) ? "–" : Table.times(slow.nanos() / fast.nanos());
  }

  private static String rate(double value, Optional<Double> ceiling) {
    String share =
        ceiling
            .filter(c -> c > 0 && value > 0)
            .map(c -> " (" + Table.percent(value / c) + ")")
            .orElse("");
    return Table.number(value) + share;
  }

  private Table models() {
    Table.Builder table =
        Table.of(
            "Models",
            "Tokens per second, median (least to largest). Shapes other than the fable model have random"
                + " weights.",
            "model",
            "backend",
            "prompt",
            "decode",
            "weights streamed, GB/s",
            "of measured memory");
    for (JsonNode run : results.models()) {
      JsonNode decode = run.path("decode");
      double streamed =
          decode.path("median").asDouble()
              / decode.path("sequences").asInt(1)
              * decode.path("weightBytes").asDouble()
              * 1e-9;
      String backend = run.path("backend").asText();
      table.row(
          Results.name(run),
          backend,
          "%s, of %d"
              .formatted(spread(run.path("prompt")), run.path("prompt").path("tokens").asInt()),
          spread(decode),
          Table.number(streamed),
          results
              .ceiling(backend)
              .map(c -> Table.percent(streamed / c.gigabytesPerSecond()))
              .orElse("–"));
    }
    return table.build();
  }

  private static String spread(JsonNode rates) {
    if (rates.path("min").asDouble() == rates.path("max").asDouble()) {
      return Table.number(rates.path("median").asDouble()) + " (once)";
    }
    return "%s (%s to %s)"
        .formatted(
            Table.number(rates.path("median").asDouble()),
            Table.number(rates.path("min").asDouble()),
            Table.number(rates.path("max").asDouble()));
  }

  private Table design() {
    Table.Builder table =
        Table.of("What the design buys", "", "question", "backend", "with", "without", "gain");
    record Pair(String text, String question, String with, String without) {}
    for (Pair pair :
        List.of(
            new Pair(
                "a feed-forward half as one batch, or five submits",
                "BatchingBench",
                "oneBatch",
                "oneByOne"),
            new Pair(
                "weights resident, or written before each product",
                "ResidencyBench",
                "resident",
                "uploadEachCall"),
            new Pair(
                "programs from the cache, or built from source",
                "CompileBench",
                "cached",
                "rebuilt"))) {
      for (String backend : results.backends()) {
        Optional<Operation> with = results.find(pair.question, pair.with, backend);
        Optional<Operation> without = results.find(pair.question, pair.without, backend);
        if (with.isPresent() && without.isPresent()) {
          table.row(
              pair.text,
              backend,
              spread(with.get()),
              spread(without.get()),
              Table.times(without.get().nanos() / with.get().nanos()));
        }
      }
    }
    return table.build();
  }

  private Table calls() {
    Table.Builder table = Table.of("Calls, text and files", "", "what", "time", "per second");
    Map<String, String> names =
        Map.of(
            "argument", "set a kernel's argument",
            "emptyKernel", "launch an empty kernel and wait",
            "smallRead", "read four bytes and wait",
            "tokenize", "64 KiB of text to tokens",
            "openFile", "open a GGUF file",
            "loadModel", "load a model of 4.7 MB",
            "decodeStep", "decode step of the fable model",
            "promptChunk", "prompt chunk of the fable model");
    for (Operation operation : results.operations()) {
      if (List.of("BindingBench", "FilesBench", "ModelBench").contains(operation.question())) {
        String by = operation.parameter("binding") + operation.backend();
        table.row(
            names.getOrDefault(operation.method(), operation.method())
                + (by.isEmpty() ? "" : ", " + by),
            spread(operation),
            Table.number(1e9 / operation.nanos()));
      }
    }
    return table.build();
  }

  private static Table step(JsonNode profile) {
    Table.Builder table =
        Table.of(
            "A decode step by operation: %s on %s"
                .formatted(profile.path("model").asText(), profile.path("backend").asText()),
            "Each step alone, at depth %d; a step that is not watched takes %s."
                .formatted(
                    profile.path("depth").asInt(),
                    Table.time(profile.path("wholeNanos").asDouble())),
            "operation",
            "steps",
            "time",
            "MB",
            "GB/s",
            "of measured memory");
    for (JsonNode step : profile.path("steps")) {
      double nanos = step.path("nanos").asDouble();
      double bytes = step.path("bytes").asDouble();
      table.row(
          Results.step(step),
          step.path("steps").asText(),
          Table.time(nanos),
          Table.number(bytes * 1e-6),
          Table.number(bytes / nanos),
          Table.percent(bytes / nanos * 1e9 / profile.path("readBytesPerSecond").asDouble()));
    }
    return table.build();
  }
}
