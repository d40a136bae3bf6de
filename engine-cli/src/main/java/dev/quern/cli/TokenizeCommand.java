package dev.quern.cli;

import dev.quern.gguf.GgufFile;
import dev.quern.tokenizer.Tokenizer;
import dev.quern.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code quern tokenize}: text to token ids. */
@Command(
    name = "tokenize",
    versionProvider = QuernVersion.class,
    description = "Print the token ids of a text, separated by blanks, one line per case.")
final class TokenizeCommand extends Subcommand {
  @Mixin private ModelOptions model = new ModelOptions();

  @Option(
      names = "--file",
      paramLabel = "TEXT",
      required = true,
      description = "File with the text, in UTF-8; - for standard input.")
  private String file = "";

  @Option(
      names = "--separator",
      paramLabel = "S",
      description =
          "Ends each case but the last, which may do without; \\n, \\r, \\t and \\\\ are read as"
              + " escapes.")
  private @Nullable String separator;

  @Option(
      names = "--add-special",
      description = "Add begin and end tokens where the model file says so.")
  private boolean addSpecial;

  TokenizeCommand(Streams streams) {
    super(streams);
  }

  @Override
  public Integer call() throws IOException {
    byte[] bytes =
        file.equals("-") ? streams.in().readAllBytes() : Files.readAllBytes(Path.of(file));
    String text = new String(bytes, StandardCharsets.UTF_8);
    Tokenizer tokenizer;
    try (GgufFile gguf = model.openFile()) {
      tokenizer = Tokenizers.from(gguf.metadata());
    }
    for (String piece : cases(text)) {
      StringBuilder line = new StringBuilder();
      for (int token : tokenizer.encode(piece, addSpecial, true)) {
        line.append(line.isEmpty() ? "" : " ").append(token);
      }
      streams.out().println(line);
    }
    return 0;
  }

  /** The separator ends a case, as a line break ends a line: after the last one nothing follows. */
  private List<String> cases(String text) {
    if (separator == null) {
      return List.of(text);
    }
    String split = unescape(separator);
    if (split.isEmpty()) {
      throw new UsageException("--separator: must not be empty but is");
    }
    List<String> cases = new ArrayList<>();
    int from = 0;
    for (int at = text.indexOf(split); at >= 0; at = text.indexOf(split, from)) {
      cases.add(text.substring(from, at));
      from = at + split.length();
    }
    if (from < text.length() || cases.isEmpty()) {
      cases.add(text.substring(from));
    }
    return cases;
  }

  private static String unescape(String text) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      int escape =
          text.charAt(i) == '\\' && i + 1 < text.length()
              ? "nrt\\".indexOf(text.charAt(i + 1))
              : -1;
      out.append(escape < 0 ? text.charAt(i) : "\n\r\t\\".charAt(escape));
      i += escape < 0 ? 0 : 1;
    }
    return out.toString();
  }
}
