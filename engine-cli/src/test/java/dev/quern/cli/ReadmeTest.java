package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Backends;
import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import dev.quern.fable.FableModels;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufWriter;
import dev.quern.transformer.LanguageModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README shows compiles and runs, with files and backends put in the place of its own. */
class ReadmeTest {
  private static final Pattern JAVA = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  private static final String IMPORTS =
      """
      import dev.quern.core.*;
      import dev.quern.core.format.*;
      import dev.quern.transformer.*;
      import java.lang.foreign.*;
      import java.nio.file.Path;
      import java.util.List;
      """;

  @TempDir private Path folder = Path.of("");
  private List<String> shown = List.of();

  @BeforeEach
  void read() throws IOException {
    String readme = Files.readString(Path.of("..", "README.md"));
    shown = JAVA.matcher(readme).results().map(result -> result.group(1)).toList();
    assertThat(shown).hasSize(6).allSatisfy(text -> assertThat(text.lines()).hasSizeLessThan(12));
    try (InputStream model = FableModels.defaultModel().open()) {
      Files.copy(model, folder.resolve("model.gguf"));
    }
    writeAdapter(folder.resolve("style.gguf"));
  }

  @Test
  void aTextIsGenerated() throws Exception {
    assertThat(run(shown.get(0))).hasSizeGreaterThan(100);
  }

  @Test
  void aBatchIsEmbedded() throws Exception {
    assertThat(run(shown.get(1))).isEqualTo("3 vectors of 256\n");
  }

  @Test
  void anAdapterIsApplied() throws Exception {
    assertThat(run(shown.get(2))).isNotEmpty();
  }

  @Test
  void aBackendIsChosen() throws Exception {
    assertThat(run(shown.get(3))).contains("reference: Usable").contains("cpu: ");
  }

  @Test
  void aBackendIsPluggedIn() throws Exception {
    Path services = folder.resolve("classes/META-INF/services");
    Files.createDirectories(services);
    Files.writeString(services.resolve("dev.quern.core.BackendProvider"), "Mine\n");
    String backend = "Backends.open(\"reference\")";
    String type = shown.get(4).replace("new MyBackend()", backend);
    String use =
        """
        System.out.println(Backends.list().stream().map(f -> f.provider().name()).toList());
        try (Backend backend = Backends.open("mine")) {
          System.out.println(backend.name());
        }
        """;
    assertThat(run(use, type)).contains("mine").endsWith("reference\n");
  }

  @Test
  void aLayerIsRecorded() throws Exception {
    String before =
        """
        int rows = 2;
        int hidden = 32;
        Arena arena = Arena.ofShared();
        Backend backend = Backends.open("cpu");
        Tensor gate = backend.adopt("g", WeightFormats.F32, Shape.of(64, 32), arena.allocate(8192));
        Tensor up = backend.adopt("u", WeightFormats.F32, Shape.of(64, 32), arena.allocate(8192));
        Tensor down = backend.adopt("d", WeightFormats.F32, Shape.of(32, 64), arena.allocate(8192));
        Buffer in = backend.allocate("in", 256);
        Buffer out = backend.allocate("out", 256);
        """;
    assertThat(run(before + shown.get(5) + "backend.close();\nSystem.out.println(\"done\");"))
        .isEqualTo("done\n");
  }

  /** Compiles statements, and types beside them, and runs the statements; answers what is said. */
  private String run(String statements, String... types) throws Exception {
    String body =
        statements
            .replace("\"model.gguf\"", '"' + folder.resolve("model.gguf").toString() + '"')
            .replace("\"style.gguf\"", '"' + folder.resolve("style.gguf").toString() + '"')
            .replace("Backends.best()", "Backends.open(\"cpu\")");
    List<Path> sources = new ArrayList<>();
    sources.add(
        source(
            "Shown",
            "public class Shown { public static void run() throws Exception {\n" + body + "}}"));
    for (String type : types) {
      Matcher name = Pattern.compile("class (\\w+)").matcher(type);
      assertThat(name.find()).isTrue();
      sources.add(source(name.group(1), type));
    }
    Path classes = Files.createDirectories(folder.resolve("classes"));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter said = new StringWriter();
    List<String> options = List.of("-cp", classPath(), "-d", classes.toString(), "-Xlint:all");
    try (var files = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
      boolean compiled =
          compiler
              .getTask(said, files, null, options, null, files.getJavaFileObjectsFromPaths(sources))
              .call();
      assertThat(compiled).as(said.toString()).isTrue();
    }
    return loaded(classes);
  }

  private Path source(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name + ".java"), IMPORTS + text);
  }

  private static String loaded(Path classes) throws Exception {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    PrintStream out = System.out;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {classes.toUri().toURL()}, before)) {
      thread.setContextClassLoader(loader);
      System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
      loader.loadClass("Shown").getMethod("run").invoke(null);
    } finally {
      System.setOut(out);
      thread.setContextClassLoader(before);
    }
    return said.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
  }

  private static String classPath() throws Exception {
    List<String> places = new ArrayList<>();
    for (Class<?> one : List.of(Backends.class, LanguageModel.class)) {
      places.add(
          Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
    }
    return places.stream().collect(Collectors.joining(java.io.File.pathSeparator));
  }

  /** An adapter of rank 1 for the values of the first block of the default model. */
  private static void writeAdapter(Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      GgufMetadata metadata =
          GgufMetadata.builder("style")
              .put("general.architecture", "qwen3")
              .put("general.type", "adapter")
              .put("adapter.type", "lora")
              .put("adapter.lora.alpha", 1f)
              .build();
      String name = "blk.0.attn_q.weight.lora_";
      List<GgufWriter.Source> tensors =
          Stream.of(
                  new GgufWriter.Source(
                      name + "a", Shape.of(1, 256), WeightFormats.F32, arena.allocate(1024)),
                  new GgufWriter.Source(
                      name + "b", Shape.of(256, 1), WeightFormats.F32, arena.allocate(1024)))
              .toList();
      GgufWriter.write(file, metadata, tensors);
    }
  }
}
