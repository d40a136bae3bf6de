package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.core.Backends;
import dev.quern.core.Precision;
import dev.quern.core.Probe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * {@code docs/support.md} is what the backends answer. It names no kernels, which differ from
 * machine to machine; {@code -Dquern.support.write=true} writes it anew.
 */
class SupportDocumentTest {
  private static final Path DOCUMENT = Path.of("..", "docs", "support.md");

  private static final String HEAD =
      """
      # What is supported

      For each operation and format: whether the backend has a kernel of its own for it (`yes`), or
      runs it on the host through the reference (`no`, with the reason). Written by a test from what
      the backends answer, and compared by it; do not edit. Anew:

      ```
      mvn -pl engine-cli -am test -Dtest=SupportDocumentTest -Dquern.support.write=true \\
        -Dsurefire.failIfNoSpecifiedTests=false
      ```

      `exact` keeps activations and sums in float32; `fast` may round activations. `matmul` is the
      product with a weight (`MatMul`, `DequantMatMul` or `TernaryMatMul`, as its format says), of one
      row, of two, and of a prompt. The format of `kv-append` and `attention` is that of the cache.
      Model families are in [families.md](families.md).

      """;

  @Test
  void theDocumentIsWhatTheBackendsAnswer() throws IOException {
    boolean opencl =
        Backends.list().stream()
            .anyMatch(found ->
                found.provider().name().equals("opencl") && found.probe() instanceof Probe.Usable);
    assumeTrue(
        opencl || Boolean.getBoolean("quern.require.opencl"),
        "the column of OpenCL needs a device, such as PoCL");
    Map<String, Map<SupportTable.Key, String>> columns = new LinkedHashMap<>();
    for (String name : List.of("reference", "cpu", "opencl")) {
      try (SupportTable table = new SupportTable(Backends.open(name))) {
        for (Precision precision : Precision.values()) {
          columns.put(
              name + " " + precision.toString().toLowerCase(Locale.ROOT), table.answers(precision));
        }
      }
    }
    assertThat(columns.values()).allSatisfy(answers -> assertThat(answers).hasSizeGreaterThan(60));
    String text = HEAD + String.join("\n", SupportTable.lines(columns)) + "\n";
    if (Boolean.getBoolean("quern.support.write")) {
      Files.writeString(DOCUMENT, text);
    }
    assertThat(DOCUMENT).as("docs/support.md, which says how to write it anew").hasContent(text);
  }
}
