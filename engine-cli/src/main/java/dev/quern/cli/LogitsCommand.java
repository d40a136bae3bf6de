package dev.quern.cli;

import dev.quern.core.Precision;
import dev.quern.transformer.Session;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code quern logits}: the raw output of the model. */
@Command(
    name = "logits",
    versionProvider = QuernVersion.class,
    description = "Write the logits after every token, as little-endian float32 [tokens, vocab].")
final class LogitsCommand extends Subcommand {
  @Mixin private ModelOptions model = new ModelOptions();
  @Mixin private LoraOptions lora = new LoraOptions();

  @Option(
      names = "--tokens",
      paramLabel = "ID",
      required = true,
      split = ",",
      description = "Token ids, separated by commas.")
  private int[] tokens = {};

  @Option(names = "--output", paramLabel = "FILE", required = true, description = "File to write.")
  private Path output = Path.of("");

  LogitsCommand(Streams streams) {
    super(streams);
  }

  @Override
  public Integer call() throws IOException {
    try (Loaded loaded = Loaded.load(model, Precision.EXACT, lora, streams);
        Session session = loaded.newSession();
        OutputStream out = new BufferedOutputStream(Files.newOutputStream(output))) {
      long start = System.nanoTime();
      session.logits(tokens, logits -> write(out, logits));
      streams.say(
          "[%s; %d tokens of %d logits in %d ms]"
              .formatted(
                  model.describe(loaded.backend(), Precision.EXACT),
                  tokens.length,
                  loaded.model().vocabulary(),
                  (System.nanoTime() - start) / 1_000_000));
    }
    return 0;
  }

  private static void write(OutputStream out, float[] logits) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * logits.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(logits);
    try {
      out.write(bytes.array());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
