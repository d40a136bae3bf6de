package dev.quern.cli;

import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoraAdapter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options that say which adapters a model runs with. */
final class LoraOptions {
  @Option(
      names = "--lora",
      paramLabel = "FILE[=WEIGHT]",
      description =
          "LoRA adapter, GGUF or PEFT safetensors, and how much of it is added. May be repeated."
              + " Default weight: 1. Safetensors without adapter_config.json beside them are taken"
              + " to have an alpha of twice the rank, which is said; a weight makes up for another")
  private List<String> adapters = new ArrayList<>();

  /** A file, and how much of it is added. */
  record Weighted(Path file, float weight) {
    /** What follows the last {@code =} is the weight, unless a file has the whole name. */
    static Weighted parse(String text) {
      int equals = text.lastIndexOf('=');
      if (equals < 0 || Files.exists(Path.of(text))) {
        return new Weighted(Path.of(text), 1);
      }
      String weight = text.substring(equals + 1);
      if (!weight.matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d{1,2})?")) {
        throw new UsageException("--lora: weight must be a number but is " + text);
      }
      return new Weighted(Path.of(text.substring(0, equals)), Float.parseFloat(weight));
    }
  }

  /** What was asked for; wrong usage is said before anything is loaded. */
  List<Weighted> parsed() {
    return adapters.stream().map(Weighted::parse).toList();
  }

  /** Loads adapters beside a model; if one fails, none stays. */
  static List<LoraAdapter> load(List<Weighted> wanted, LanguageModel model) throws IOException {
    List<LoraAdapter> loaded = new ArrayList<>();
    try {
      for (Weighted adapter : wanted) {
        loaded.add(model.loadAdapter(adapter.file(), adapter.weight()));
      }
      return List.copyOf(loaded);
    } catch (IOException | RuntimeException | Error e) {
      loaded.forEach(LoraAdapter::close);
      throw e;
    }
  }
}
