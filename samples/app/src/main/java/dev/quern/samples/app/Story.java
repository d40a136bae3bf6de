package dev.quern.samples.app;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.fable.FableModels;
import dev.quern.transformer.GenerationOptions;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoadOptions;
import dev.quern.transformer.Session;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Loads a model and generates text. Arguments: the backend's name, or nothing for the best. */
public final class Story {
  private Story() {}

  /**
   * Prints a story, and then what the backend made of the model.
   *
   * @param args the backend's name, optional
   * @throws IOException if the model cannot be read
   */
  public static void main(String[] args) throws IOException {
    Path file = Files.createTempFile("fable", ".gguf");
    try (InputStream model = FableModels.defaultModel().open()) {
      Files.copy(model, file, StandardCopyOption.REPLACE_EXISTING);
    }
    try (Backend backend = args.length == 0 ? Backends.best() : Backends.open(args[0]);
        LanguageModel model = LanguageModel.load(file, backend, LoadOptions.exact());
        Session session = model.newSession()) {
      session.generate(
          "Once upon a time, a small fox named Mira",
          GenerationOptions.greedy(24),
          System.out::print);
      System.out.println();
      System.out.println(model.explain());
    } finally {
      Files.deleteIfExists(file);
    }
  }
}
