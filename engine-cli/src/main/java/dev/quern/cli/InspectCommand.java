package dev.quern.cli;

import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufNumbers;
import dev.quern.gguf.GgufStrings;
import dev.quern.gguf.GgufTensor;
import dev.quern.gguf.GgufValue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code quern inspect}: what a GGUF file says. */
@Command(
    name = "inspect",
    versionProvider = QuernVersion.class,
    description = "Show the metadata and tensors of a GGUF file.")
final class InspectCommand extends Subcommand {
  private static final int LONGEST_VALUE = 200;

  @Parameters(paramLabel = "FILE", description = "GGUF file, or the name of a built-in model.")
  private String file = "";

  @Option(names = "--json", description = "Print JSON, with arrays in full.")
  private boolean json;

  InspectCommand(Streams streams) {
    super(streams);
  }

  @Override
  public Integer call() throws IOException {
    try (GgufFile gguf = ModelOptions.open(file)) {
      if (json) {
        streams.out().println(Json.text(describe(gguf)));
      } else {
        print(gguf);
      }
    }
    return 0;
  }

  private static Map<String, Object> describe(GgufFile gguf) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("file", gguf.name());
    fields.put("bytes", gguf.bytes());
    fields.put("version", gguf.version());
    fields.put("alignment", gguf.alignment());
    fields.put("dataOffset", gguf.dataOffset());
    Map<String, Object> metadata = new LinkedHashMap<>();
    gguf.metadata().values().forEach((key, value) -> metadata.put(key, plain(value)));
    fields.put("metadata", metadata);
    fields.put("tensors", gguf.tensors().stream().map(InspectCommand::describe).toList());
    return fields;
  }

  private static Map<String, Object> describe(GgufTensor tensor) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", tensor.name());
    fields.put("type", tensor.typeName());
    fields.put("shape", tensor.shape().dimensions());
    fields.put("offset", tensor.offset());
    fields.put("bytes", tensor.bytes());
    return fields;
  }

  private static Object plain(GgufValue value) {
    return switch (value) {
      case GgufValue.Bool bool -> bool.value();
      case GgufValue.Text text -> text.value();
      case GgufValue.Whole whole -> whole.value();
      case GgufValue.Real real -> real.value();
      case GgufValue.Nested nested -> nested.values().stream().map(InspectCommand::plain).toList();
      case GgufStrings strings -> {
        List<Object> items = new ArrayList<>(strings.size());
        for (int i = 0; i < strings.size(); i++) {
          items.add(strings.get(i));
        }
        yield items;
      }
      case GgufNumbers numbers -> {
        List<Object> items = new ArrayList<>(numbers.size());
        for (int i = 0; i < numbers.size(); i++) {
          items.add(
              numbers.elementType().isReal() ? (Object) numbers.getDouble(i) : numbers.getLong(i));
        }
        yield items;
      }
    };
  }

  private void print(GgufFile gguf) {
    streams
        .out()
        .printf(
            "%s: GGUF version %d, %d bytes, %d metadata values, %d tensors%n",
            gguf.name(),
            gguf.version(),
            gguf.bytes(),
            gguf.metadata().values().size(),
            gguf.tensors().size());
    gguf.metadata()
        .values()
        .forEach((key, value) -> streams.out().println(key + " = " + shortened(value)));
    for (GgufTensor tensor : gguf.tensors()) {
      streams.out().println(tensor + "  " + tensor.bytes() + " bytes at " + tensor.offset());
    }
  }

  private static String shortened(GgufValue value) {
    String text = value.toString().replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
    return text.length() <= LONGEST_VALUE ? text : text.substring(0, LONGEST_VALUE) + "…";
  }
}
