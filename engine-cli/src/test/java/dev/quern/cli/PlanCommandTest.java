package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Probe;
import dev.quern.opencl.OpenClBackendProvider;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code quern plan}, and models that do not fit, on the built-in model. */
class PlanCommandTest {
  @TempDir private Path folder = Path.of("");

  static void needsOpenCl() {
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
        .contains("weights", "KV cache", "other", "layer 0 ", "layer 7 ", "token_embd.weight")
        .contains("inputs and results", "scratch of rows-128 None", "scratch of rows-1 Greedy")
        .containsPattern("weights +4\\.1 MiB, the largest token_embd.weight with 420.0 KiB")
        .containsPattern(
            "KV cache +512\\.0 KiB, the largest kv\\.\\d\\.(keys|values) with 32.0 KiB")
        .containsPattern("buffers +\\d")
        .containsPattern("scratch +\\d.*, the largest rows-128")
        .containsPattern("in all +\\d.* of .* in allocations of at most ")
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
        .contains("4.0 MiB in allocations of at most 256.0 KiB", "does not fit: ")
        .containsPattern("token_embd.weight .*, a tensor in up to 2 allocations")
        .containsPattern("layers that fit: [1-7] of 8")
        .containsPattern("use --backend opencl\\+cpu, with [1-7] of 8 layers on opencl:\\d");
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
        .startsWith("quern: opencl memory: the model must fit the 2.0 MiB of opencl:");
    List<String> lines = ran.err().lines().toList();
    assertThat(lines).hasSize(8);
    assertThat(lines.getFirst())
        .containsPattern("weights 4\\.0 MiB, KV cache 256\\.0 KiB, buffers .*, scratch ")
        .containsPattern("use --backend opencl\\+cpu, with [1-7] of 8 layers on opencl:\\d")
        .contains("a shorter --context", "fewer bits a weight");
    assertThat(lines.get(1)).startsWith("  weights ");
    assertThat(lines.get(2)).startsWith("  KV cache ");
    assertThat(lines.get(3)).startsWith("  buffers ");
    assertThat(lines.get(4)).startsWith("  scratch ");
    assertThat(lines.get(5)).startsWith("  in all ").contains("of 2.0 MiB");
    assertThat(lines.get(6)).startsWith("  does not fit: ").contains("must fit the device's");
    assertThat(lines.get(7)).matches("  layers that fit: [1-7] of 8");
  }

  /** The remedy that the refusal names runs as many layers as it says. */
  @Test
  void theRemedyHoldsWhatItPromises() {
    needsOpenCl();
    String[] options = {"-p", "x", "-n", "1", "--memory", "2MiB", "-c", "64", "--verbose"};
    Ran alone = Ran.quern(with(options, "generate", "--backend", "opencl"));
    Ran both = Ran.quern(with(options, "generate", "--backend", "opencl+cpu"));
    assertThat(both.status()).as(both.err()).isZero();
    Matcher promised = Pattern.compile("layers that fit: (\\d) of 8").matcher(alone.err());
    assertThat(promised.find()).as(alone.err()).isTrue();
    assertThat(both.err()).contains(promised.group(1) + " of 8 layers fit opencl:");
  }

  @Test
  void whereNoLayerFitsTheRemedyIsTheCpu() {
    needsOpenCl();
    Ran ran = Ran.quern("generate", "-p", "x", "--backend", "opencl", "--memory", "2MiB");
    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.err())
        .contains("KV cache 8.0 MiB", "not one layer fits, so use --backend cpu")
        .contains("  layers that fit: 0 of 8");
  }

  /** A cache above the largest allocation: what comes after it is not planned. */
  @Test
  void aPieceThatNoAllocationHoldsIsNamed() {
    needsOpenCl();
    Ran ran = Ran.quern("generate", "-p", "x", "--backend", "opencl", "--memory", "64KiB");
    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.err())
        .contains("  does not fit: kv.0.keys of 524288 bytes must fit the device's largest")
        .contains("a shorter --context");
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
