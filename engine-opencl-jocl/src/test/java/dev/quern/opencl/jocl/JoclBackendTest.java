package dev.quern.opencl.jocl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.BackendProvider;
import dev.quern.core.Backends;
import dev.quern.core.OpenOptions;
import dev.quern.core.Probe;
import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.testkit.ServiceDeclarations;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only this provider promises; the rest is in the conformance tests. */
class JoclBackendTest {
  @Test
  void isFoundByNameAndNeverChosenByAuto() {
    Requirements.device();
    try (Backend backend = Backends.open("opencl-jocl")) {
      assertThat(backend.name()).isEqualTo("opencl-jocl");
      assertThat(backend.device().id()).isEqualTo("opencl-jocl:0");
    }
    assertThat(new JoclBackendProvider().probe())
        .isInstanceOfSatisfying(
            Probe.Usable.class, usable -> assertThat(usable.rank()).isEqualTo(Probe.BY_NAME_ONLY));
    assertThat(Backends.candidates("auto", OpenOptions.defaults()))
        .extracting(Backends.Candidate::name)
        .contains("opencl", "reference")
        .doesNotContain("opencl-jocl");
  }

  @Test
  void bothDeclarationsOfTheServiceAgree() {
    ServiceDeclarations.Declared declared = ServiceDeclarations.of(JoclBackendProvider.class);
    assertThat(declared.files()).isEqualTo(declared.provides());
    assertThat(declared.files())
        .containsEntry(
            BackendProvider.class.getName(), Set.of(JoclBackendProvider.class.getName()));
  }

  @Test
  void hostMemoryBeyondOneByteBufferGoesInPieces() throws Exception {
    Requirements.device();
    JoclOpenCl.load();
    OpenCl cl = new JoclOpenCl(1000);
    long platform = cl.platforms()[0];
    long device = cl.devices(platform)[0];
    long context = cl.createContext(platform, device);
    long queue = cl.createQueue(context, device, false);
    long buffer = cl.createBuffer(context, Cl.CL_MEM_READ_WRITE, 10_007);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment source = arena.allocate(10_000);
      for (int i = 0; i < 10_000; i++) {
        source.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31));
      }
      MemorySegment target = arena.allocate(10_000);
      cl.write(queue, buffer, 7, source);
      cl.read(queue, buffer, 7, target);
      assertThat(target.mismatch(source)).isEqualTo(-1);
      target.fill((byte) 0);
      source.fill((byte) 5);
      long written = cl.writeAsync(queue, buffer, 7, source);
      long read = cl.readAsync(queue, buffer, 7, target);
      cl.await(read);
      cl.releaseEvent(written);
      cl.releaseEvent(read);
      assertThat(target.mismatch(source)).isEqualTo(-1);
    } finally {
      cl.releaseBuffer(buffer);
      cl.releaseQueue(queue);
      cl.releaseContext(context);
    }
  }

  @Test
  void handlesOfNobodyAreRefused() throws Exception {
    Requirements.device();
    OpenCl cl = JoclOpenCl.load();
    assertThatThrownBy(() -> cl.finish(42))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("jocl: queue must be a handle that this binding made but is 0x2a");
  }

  @Test
  void reasonsAreOneLine() {
    assertThat(JoclLibrary.reason(new UnsatisfiedLinkError("a\nNo resource found with name\nb")))
        .contains("has none for", "--backend opencl")
        .hasLineCount(1);
    assertThat(JoclLibrary.reason(new UnsatisfiedLinkError("Implementation library could not")))
        .contains("apt-get install", "OpenCL library")
        .hasLineCount(1);
    assertThat(JoclLibrary.reason(new NoClassDefFoundError("x\ny")))
        .contains("does not (x)")
        .hasLineCount(1);
  }

  /** Says what the probe of a JVM of its own found, or why it cannot be opened. */
  static final class Main {
    private Main() {}

    public static void main(String[] arguments) {
      try {
        if (new JoclBackendProvider().probe() instanceof Probe.Unusable(String reason)) {
          System.out.print(reason);
        } else {
          new JoclBackendProvider().open(OpenOptions.defaults()).close();
          System.out.print("usable");
        }
      } catch (BackendException e) {
        System.out.print(e.getMessage());
      }
    }
  }

  private static String outcome(String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            Main.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  @Test
  void aMissingNativeLibraryIsAReason(@TempDir Path folder)
      throws IOException, InterruptedException {
    // the name of a system for which JOCL has nothing
    assertThat(outcome("--enable-native-access=ALL-UNNAMED", "-Dos.arch=riscv64"))
        .startsWith("JOCL: its jar must have a library for this system")
        .hasLineCount(1);
    Requirements.device();
    // a temporary folder that cannot be written; of that the JVM warns by itself
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThat(outcome("--enable-native-access=ALL-UNNAMED", "-Djava.io.tmpdir=" + file))
        .contains("JOCL: its library must load")
        .contains("--backend opencl");
    assertThat(outcome("--illegal-native-access=deny")).contains("--enable-native-access");
  }

  @Test
  void nothingIsLeftInTheTemporaryFolder(@TempDir Path folder)
      throws IOException, InterruptedException {
    Requirements.device();
    assertThat(outcome("--enable-native-access=ALL-UNNAMED", "-Djava.io.tmpdir=" + folder))
        .isEqualTo("usable");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left.filter(file -> file.getFileName().toString().contains("JOCL"))).isEmpty();
    }
  }
}
