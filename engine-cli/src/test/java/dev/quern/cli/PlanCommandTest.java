package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Probe;
import dev.quern.opencl.OpenClBackendProvider;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code quern plan}, and models that do not fit, on the built-in model. */
class PlanCommandTest {
  @TempDir private Path folder = Path.of("");

  private static void needsOpenCl() {
    boolean required = Boolean.getBoolean("quern.require.opencl");
    boolean usable = new OpenClBackendProvider().probe() instanceof Probe.Usable;
    Assumptions.assumeTrue(required || usable, "needs an OpenCL device");
  }

  @Test
  void planShowsWhatAModelTakes() {
    needsOpenCl();
    Ran ran = Ran.quern("plan", "--backend", "opencl", "fable-7m-q4_k_m", "-c", "128");
    assertThat(ran.status()).as(ran.err()).isZero();
    assertThat(ran.out())
        .contains("layer 0, cache included", "layer 7, cache included", "token_embd.weight")
        .contains("inputs and results", "scratch of rows-128 None", "scratch of rows-1 Greedy")
        .containsPattern("total +4\\.1 MiB")
        .containsPattern("fits, .* of memory left");
    Ran verbose = Ran.quern("plan", "--backend", "opencl", "-c", "128", "--verbose");
    assertThat(verbose.out()).contains("blk.7.ffn_down.weight", "kv.7.values", "rope.0");
  }

  @Test
  void planShowsHowMuchRunsOnASmallDevice() {
    needsOpenCl();
    String[] limits = {"-c", "128", "--memory", "4MiB", "--max-alloc", "256KiB"};
    Ran alone = Ran.quern(with(limits, "plan", "--backend", "opencl"));
    assertThat(alone.status()).as(alone.err()).isZero();
    assertThat(alone.out())
        .contains("4.0 MiB in allocations of at most 256.0 KiB", "does not fit: opencl memory: ")
        .containsPattern("with --backend opencl\\+cpu: [1-7] of 8 layers on opencl:\\d");
    Ran both = Ran.quern(with(limits, "plan", "--backend", "opencl+cpu"));
    assertThat(both.status()).as(both.err()).isZero();
    assertThat(both.out())
        .containsPattern("fits: [1-7] of 8 layers on opencl:\\d, the rest on cpu");
  }

  @Test
  void aModelThatDoesNotFitIsRefusedWithThePlan() {
    needsOpenCl();
    Ran ran =
        Ran.quern("generate", "-p", "x", "--backend", "opencl", "--memory", "2MiB", "-c", "64");
    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.out()).isEmpty();
    assertThat(ran.err())
        .startsWith("quern: opencl memory: the model must fit 2.0 MiB of opencl:")
        .contains("weights 4.0 MiB", "buffers", "scratch", "--backend opencl+cpu", "quern plan")
        .hasLineCount(1);
  }

  @Test
  void autoRunsTheLayersThatFitAndSaysSo() throws IOException {
    needsOpenCl();
    Ran expected = logits("expected", "--backend", "reference");
    assertThat(expected.status()).as(expected.err()).isZero();
    System.setProperty(SmallGpuProvider.MEMORY, "4MiB");
    try {
      Ran ran = logits("actual", "--backend", "auto", "--verbose");
      assertThat(ran.status()).as(ran.err()).isZero();
      assertThat(ran.err())
          .contains("small cannot run the model, the next backend is tried")
          .containsPattern("[1-7] of 8 layers fit opencl:\\d");
    } finally {
      System.clearProperty(SmallGpuProvider.MEMORY);
    }
    assertThat(error(floats("actual"), floats("expected"))).isLessThan(1e-9);
  }

  private Ran logits(String name, String... more) {
    return Ran.quern(
        with(
            more,
            "logits",
            "--tokens",
            "12,40,400,7,9,1000,3",
            "-c",
            "128",
            "--output",
            folder.resolve(name).toString()));
  }

  private static String[] with(String[] more, String... first) {
    String[] all = new String[first.length + more.length];
    System.arraycopy(first, 0, all, 0, first.length);
    System.arraycopy(more, 0, all, first.length, more.length);
    return all;
  }

  private float[] floats(String name) throws IOException {
    byte[] bytes = Files.readAllBytes(folder.resolve(name));
    float[] values = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  private static double error(float[] actual, float[] expected) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow(actual[i] - expected[i], 2);
      norm += Math.pow(expected[i], 2);
    }
    return difference / norm;
  }
}
