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
import dev.quern.core.Shape;
import dev.quern.core.Statistics;
import dev.quern.core.Tensor;
import dev.quern.opencl.binding.FfmOpenCl;
import dev.quern.opencl.binding.OpenClException;
import dev.quern.opencl.binding.OpenClStatus;
import dev.quern.opencl.binding.OpenClUnavailableException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What happens when a call of OpenCL fails: an error with its cause, and a backend that goes on.
 */
class FaultTest {
  private String failing = "";
  private Intercepted binding;

  @BeforeEach
  void load() throws OpenClUnavailableException {
    Requirements.device();
    binding =
        new Intercepted(
            FfmOpenCl.load(),
            (name, arguments) -> {
              if (name.equals(failing)) {
                throw new OpenClException(name + "()", OpenClStatus.OUT_OF_RESOURCES);
              }
            });
  }

  private Backend open() {
    return new OpenClBackendProvider(binding::binding).open(OpenOptions.defaults());
  }

  private static CommandBatch doubled() {
    BatchRecorder recorder = CommandBatch.record("doubled");
    Tensor x = recorder.input("x", Shape.of(1, 20));
    recorder.output("y", recorder.add(x, x));
    return recorder.end();
  }

  @ParameterizedTest
  @ValueSource(strings = {"launch", "marker", "setInt", "flush"})
  void aFailedSubmitLeavesTheBackendUsable(String call) {
    try (Backend backend = open();
        CompiledBatch batch = backend.compile(doubled(), CompileOptions.exact());
        Buffer in = backend.allocate("in", 80);
        Buffer out = backend.allocate("out", 80)) {
      float[] values = new float[20];
      Arrays.fill(values, 3);
      in.write(0, MemorySegment.ofArray(values));
      CommandBatch recorded = batch.batch();
      Bindings bindings =
          recorded.bindings().set(recorded.tensor("x"), in).set(recorded.tensor("y"), out);
      failing = call;
      assertThatThrownBy(() -> batch.submit(bindings))
          .isInstanceOf(BackendException.class)
          .hasMessageContaining("doubled")
          .hasMessageContaining("CL_OUT_OF_RESOURCES")
          .hasCauseInstanceOf(OpenClException.class);
      failing = "";
      batch.submit(bindings).await();
      out.read(0, MemorySegment.ofArray(values));
      assertThat(values).containsOnly(6);
    }
  }

  /** A batch whose program the self-test has not built. */
  private static CommandBatch shares() {
    BatchRecorder recorder = CommandBatch.record("shares");
    recorder.output("y", recorder.softmax(recorder.input("x", Shape.of(1, 20))));
    return recorder.end();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "createProgram",
        "build",
        "createKernel",
        "setBuffer",
        "createBuffer",
        "writeAsync"
      })
  void aFailedCompileKeepsNothing(String call) {
    try (Backend backend = open()) {
      failing = call;
      Statistics before = backend.statistics();
      assertThatThrownBy(() -> backend.compile(shares(), CompileOptions.exact()))
          .isInstanceOf(BackendException.class)
          .hasMessageContaining("CL_OUT_OF_RESOURCES");
      failing = "";
      assertThat(backend.statistics().residentBytes()).isEqualTo(before.residentBytes());
      assertThat(backend.statistics().liveBatches()).isZero();
      backend.compile(shares(), CompileOptions.exact()).close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"read", "writeAsync", "fill", "createBuffer"})
  void aFailedTransferIsABackendException(String call) {
    try (Backend backend = open();
        Buffer buffer = backend.allocate("b", 16)) {
      failing = call;
      assertThatThrownBy(
              () -> {
                buffer.write(0, MemorySegment.ofArray(new float[4]));
                buffer.read(0, MemorySegment.ofArray(new float[4]));
                backend.allocate("large", 64L << 20).close();
              })
          .isInstanceOf(BackendException.class)
          .hasMessageContaining("CL_OUT_OF_RESOURCES");
      failing = "";
      buffer.read(0, MemorySegment.ofArray(new float[4]));
    }
  }
}
