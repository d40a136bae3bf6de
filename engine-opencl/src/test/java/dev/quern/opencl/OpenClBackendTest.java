package dev.quern.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.BatchRecorder;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.OpenOptions;
import dev.quern.core.Precision;
import dev.quern.core.Probe;
import dev.quern.core.Shape;
import dev.quern.core.Support;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.MatMul;
import dev.quern.opencl.binding.FfmOpenCl;
import dev.quern.opencl.binding.OpenClUnavailableException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only this backend promises; the rest is in the conformance tests. */
class OpenClBackendTest {
  private final OpenClBackendProvider provider = new OpenClBackendProvider();

  private static OpenOptions settings(String... pairs) {
    Map<String, String> settings = new HashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      settings.put(pairs[i], pairs[i + 1]);
    }
    return OpenOptions.defaults().withSettings(settings);
  }

  // ---- choosing and opening

  @Test
  void aMissingLibraryIsAReasonNotAnError() {
    var without =
        new OpenClBackendProvider(() -> {
          throw new OpenClUnavailableException("no library here");
        });
    assertThat(without.probe()).isEqualTo(new Probe.Unusable("no library here"));
    assertThatThrownBy(() -> without.open(OpenOptions.defaults()))
        .isInstanceOf(BackendException.class)
        .hasMessageContaining("no library here");
  }

  @Test
  void devicesAreChosenByNumberOrName() {
    Requirements.device();
    Probe.Usable usable = (Probe.Usable) provider.probe();
    String name = usable.devices().getFirst().name();
    String part = name.substring(1, name.length() - 1).toUpperCase(Locale.ROOT);
    for (String device : new String[] {"", "0", part}) {
      try (Backend backend = provider.open(OpenOptions.defaults().withDevice(device))) {
        assertThat(backend.device()).isEqualTo(usable.devices().getFirst());
      }
    }
    assertThatThrownBy(() -> provider.open(OpenOptions.defaults().withDevice("no such")))
        .isInstanceOf(BackendException.class)
        .hasMessageContaining(name)
        .hasMessageContaining("no such");
  }

  @Test
  void unknownSettingsAreRefused() {
    assertThatThrownBy(() -> provider.open(settings("opencl.speed", "11")))
        .isInstanceOf(BackendException.class)
        .hasMessageContaining("opencl.speed")
        .hasMessageContaining("opencl.strategy");
    assertThatThrownBy(() -> provider.open(settings("opencl.group-size", "48")))
        .isInstanceOf(BackendException.class)
        .hasMessageContaining("power of two but is 48");
    assertThatThrownBy(() -> provider.open(settings("opencl.strategy", "magic")))
        .isInstanceOf(BackendException.class)
        .hasMessageContaining("[auto, stream, persistent] but is magic");
    assertThat(Settings.DEFAULTS.with(Map.of("cpu.width", "256"))).isEqualTo(Settings.DEFAULTS);
  }

  @Test
  void aDeviceThatComputesWronglyIsRefused() {
    Requirements.device();
    OpenClBackendProvider wrong =
        new OpenClBackendProvider(() ->
            new Intercepted(
                    FfmOpenCl.load(),
                    (name, arguments) -> {
                      if (name.equals("read")) {
                        MemorySegment target = (MemorySegment) arguments[3];
                        target.set(ValueLayout.JAVA_BYTE, 3, (byte) 0x42);
                      }
                    })
                .binding());
    assertThatThrownBy(() -> wrong.open(OpenOptions.defaults()))
        .isInstanceOf(BackendException.class)
        .hasMessageContaining("self-test")
        .hasMessageContaining("--backend cpu");
  }

  @Test
  void theSelfTestIsRememberedAndNotCounted(@TempDir Path cache) {
    Requirements.device();
    for (int i = 0; i < 2; i++) {
      try (Backend backend = provider.open(OpenOptions.defaults().withCache(cache))) {
        assertThat(backend.statistics().submits()).isZero();
        assertThat(backend.statistics().adoptedBytes()).isZero();
        assertThat(backend.statistics().liveBuffers()).isZero();
        assertThat(backend.statistics().residentBytes()).isZero();
      }
    }
    assertThat(cache).isDirectoryContaining("glob:**.ok");
    assertThatThrownBy(
            () -> SelfTest.compare(new float[] {1, 2}, new float[] {1, Float.NaN}, "device"))
        .hasMessageContaining("element 1 on device");
  }

  // ---- strategies

  /** y = x + x, then y · x, so that there are two waves. */
  private static float[] run(Backend backend, int count) {
    BatchRecorder recorder = CommandBatch.record("twice");
    Tensor x = recorder.input("x", Shape.of(1, count));
    Tensor y = recorder.output("y", recorder.mul(recorder.add(x, x), x));
    try (CompiledBatch batch = backend.compile(recorder.end(), CompileOptions.exact());
        Buffer in = backend.allocate("in", 4L * count);
        Buffer out = backend.allocate("out", 4L * count)) {
      float[] values = new float[count];
      for (int i = 0; i < count; i++) {
        values[i] = i;
      }
      in.write(0, MemorySegment.ofArray(values));
      Bindings bindings = batch.batch().bindings().set(x, in).set(y, out);
      long waits = backend.statistics().waits();
      batch.submit(bindings);
      out.read(0, MemorySegment.ofArray(values));
      if (backend.statistics().fallbacks() == 0) {
        assertThat(backend.statistics().waits() - waits).as("only the read waits").isEqualTo(1);
      }
      return values;
    }
  }

  private static float[] expected(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = 2f * i * i;
    }
    return values;
  }

  @Test
  void aPersistentBatchIsOneLaunch() {
    Requirements.device();
    try (Backend backend = provider.open(settings("opencl.strategy", "persistent"))) {
      assertThat(run(backend, 1000)).isEqualTo(expected(1000));
      assertThat(backend.statistics().launches()).isEqualTo(1);
      assertThat(backend.statistics().fallbacks()).isZero();
    }
  }

  @Test
  void aTimeoutAtTheBarrierIsRunAgainAsAStream() {
    Requirements.cpuDevice();
    Map<String, String> impatient =
        Map.of("opencl.strategy", "persistent", "opencl.groups", "2", "opencl.spin-limit", "1");
    try (Backend backend = provider.open(OpenOptions.defaults().withSettings(impatient))) {
      boolean timedOut = false;
      for (int i = 0; i < 50 && !timedOut; i++) {
        assertThat(run(backend, 100_000)).isEqualTo(expected(100_000));
        timedOut = backend.statistics().fallbacks() > 0;
      }
      assertThat(timedOut).as("a barrier that looks once must give up at some time").isTrue();
    }
  }

  @Test
  void moreGroupsThanAreResidentAreRefused() {
    Requirements.cpuDevice();
    try (Backend backend =
        provider.open(settings("opencl.strategy", "persistent", "opencl.groups", "4096"))) {
      assertThat(run(backend, 100)).isEqualTo(expected(100));
      assertThat(backend.statistics().launches()).isEqualTo(2);
    }
  }

  // ---- host steps

  /** A weight format without an OpenCL decoder: one signed byte an element. */
  private record Bytes8() implements WeightFormat {
    @Override
    public String name() {
      return "BYTES8";
    }

    @Override
    public int ggufId() {
      return 1000;
    }

    @Override
    public int blockElements() {
      return 1;
    }

    @Override
    public int blockBytes() {
      return 1;
    }

    @Override
    public Product product() {
      return Product.DENSE;
    }

    @Override
    public void decode(MemorySegment source, long offset, float[] target, int at) {
      target[at] = source.get(ValueLayout.JAVA_BYTE, offset);
    }
  }

  @Test
  void aFormatWithoutDecoderRunsOnTheHostAndSaysSo() {
    Requirements.device();
    for (String strategy : new String[] {"stream", "persistent"}) {
      try (Backend backend = provider.open(settings("opencl.strategy", strategy))) {
        byte[] stored = {1, -2, 3, 4, 5, -6};
        Tensor w = backend.adopt("w", new Bytes8(), Shape.of(2, 3), MemorySegment.ofArray(stored));
        BatchRecorder recorder = CommandBatch.record("odd");
        Tensor x = recorder.input("x", Shape.of(1, 3));
        Tensor y = recorder.output("y", recorder.swish(recorder.matmul(x, w)));
        CommandBatch ops = recorder.end();
        assertThat(backend.supports((MatMul) ops.ops().getFirst(), Precision.EXACT))
            .isInstanceOfSatisfying(
                Support.No.class, no -> assertThat(no.reason()).contains("BYTES8"));
        try (CompiledBatch batch = backend.compile(ops, CompileOptions.exact());
            Buffer in = backend.allocate("in", 12);
            Buffer out = backend.allocate("out", 8)) {
          assertThat(batch.explain()).contains("on the host").contains("BYTES8");
          in.write(0, MemorySegment.ofArray(new float[] {1, 10, 100}));
          batch.submit(batch.batch().bindings().set(x, in).set(y, out)).await();
          float[] result = new float[2];
          out.read(0, MemorySegment.ofArray(result));
          assertThat(result[0]).isEqualTo(281f);
          assertThat(result[1]).isBetween(-1e-30f, 0f);
          assertThat(backend.statistics().hostSteps()).isEqualTo(1);
        }
      }
    }
  }

  // ---- several operations at once

  @Test
  void neighboursAreOneStepAndStepsOfOneKernelOneLaunch() {
    Requirements.device();
    try (Backend backend = provider.open(settings("opencl.strategy", "stream"))) {
      BatchRecorder recorder = CommandBatch.record("feed");
      Tensor x = recorder.input("x", Shape.of(2, 64));
      Tensor z = recorder.input("z", Shape.of(2, 64));
      Tensor weight = ones(backend, 64);
      Tensor matrix = ones(backend, 64, 64);
      Tensor norm = recorder.rmsNorm(recorder.add(x, z), weight, 1e-5f);
      Tensor gate = recorder.matmul(norm, matrix);
      Tensor up = recorder.matmul(norm, ones(backend, 64, 64));
      Tensor both = recorder.mul(recorder.swish(gate), up);
      recorder.output("y", recorder.matmul(both, matrix));
      CommandBatch batch = recorder.end();
      try (CompiledBatch compiled = backend.compile(batch, CompileOptions.of(Precision.EXACT))) {
        assertThat(compiled.explain())
            .contains("stream: 4 launches", "5 steps", "add + rms-norm", "swish + mul");
      }
    }
  }

  private static Tensor ones(Backend backend, long... dims) {
    Shape shape = Shape.of(dims);
    float[] values = new float[Math.toIntExact(shape.elements())];
    Arrays.fill(values, 1);
    return backend.adopt("ones", WeightFormats.F32, shape, MemorySegment.ofArray(values));
  }
}
