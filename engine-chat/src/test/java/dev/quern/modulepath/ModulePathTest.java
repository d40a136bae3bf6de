package dev.quern.modulepath;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.transformer.ChatMessage;
import dev.quern.transformer.ChatRequest;
import dev.quern.transformer.ChatTemplate;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * jinjava has no module descriptor: what it needs must be named by ours, or it is not there. (A
 * package of its own: one of a module is not looked for on the class path.)
 */
class ModulePathTest {
  /** Runs on the module path, in a JVM of its own. */
  static final class Main {
    private Main() {}

    public static void main(String[] arguments) {
      String text =
          ChatTemplate.compile("{% for m in messages %}{{ m.content }}{% endfor %}", Map.of())
              .render(ChatRequest.of(List.of(new ChatMessage("user", "hello "))));
      System.out.print(text + ChatTemplate.class.getModule().getName());
    }
  }

  @Test
  void rendersOnTheModulePath() throws IOException, InterruptedException {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    String modules =
        Arrays.stream(classPath.split(File.pathSeparator, -1))
            .filter(entry -> !entry.matches(".*(test-classes|junit|assertj|opentest|bytebuddy).*"))
            .collect(Collectors.joining(File.pathSeparator));
    String tests =
        Arrays.stream(classPath.split(File.pathSeparator, -1))
            .filter(entry -> entry.contains("test-classes"))
            .collect(Collectors.joining(File.pathSeparator));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--module-path",
                modules,
                "--add-modules",
                "dev.quern.chat",
                "--class-path",
                tests,
                Main.class.getName())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    // SLF4J may say that nobody listens
    assertThat(output).endsWith("hello dev.quern.transformer");
  }
}
