package dev.quern.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.opencl.binding.FfmOpenCl;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgramCacheTest {
  private static final String SOURCE = "kernel void k(global int *x) { x[0] = 1; }";

  @TempDir Path folder;

  private Intercepted counted;
  private OpenCl cl;
  private ClDevice device;
  private long context;

  @BeforeEach
  void open() throws OpenClUnavailableException {
    Requirements.device();
    counted = new Intercepted(FfmOpenCl.load(), (name, arguments) -> {});
    cl = counted.binding();
    device = ClDevice.list(cl).getFirst();
    context = cl.createContext(device.platform(), device.handle());
  }

  @AfterEach
  void close() {
    if (context != 0) {
      cl.releaseContext(context);
    }
  }

  /** Builds with a cache of its own, as a new process would, and uses the program. */
  private void build(String source, String options) {
    long program = new ProgramCache(cl, device, context, folder).build(source, options);
    cl.releaseKernel(cl.createKernel(program, "k"));
    cl.releaseProgram(program);
  }

  private List<Path> entries() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  /** A program from the cache asks the driver for no binary. */
  private int compiled() {
    return counted.calls("binary");
  }

  @Test
  void theSecondTimeTheBinaryIsUsed() throws IOException {
    build(SOURCE, "");
    build(SOURCE, "");
    assertThat(compiled()).isEqualTo(1);
    assertThat(entries()).hasSize(1);
  }

  @Test
  void sourceAndOptionsAreParts() throws IOException {
    build(SOURCE, "");
    build(SOURCE + " ", "");
    build(SOURCE, "-DX=1");
    assertThat(compiled()).isEqualTo(3);
    assertThat(entries()).hasSize(3);
  }

  @Test
  void aDamagedEntryIsBuiltAnewAndMended() throws IOException {
    build(SOURCE, "");
    Path entry = entries().getFirst();
    byte[] good = Files.readAllBytes(entry);
    byte[] flipped = good.clone();
    flipped[good.length / 2] ^= 1;
    for (byte[] damaged : List.of(new byte[0], Arrays.copyOf(good, good.length / 2), flipped)) {
      Files.write(entry, damaged);
      int before = compiled();
      build(SOURCE, "");
      assertThat(compiled()).isEqualTo(before + 1);
      build(SOURCE, "");
      assertThat(compiled()).isEqualTo(before + 1);
    }
  }

  @Test
  void factsAreRememberedForTheDevice() {
    ProgramCache cache = new ProgramCache(cl, device, context, folder);
    assertThat(cache.remembers("it works")).isFalse();
    cache.remember("it works");
    assertThat(new ProgramCache(cl, device, context, folder).remembers("it works")).isTrue();
    assertThat(cache.remembers("it works well")).isFalse();
  }
}
