package dev.quern.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.Buffer;
import dev.quern.core.OpenOptions;
import dev.quern.core.Shape;
import dev.quern.core.Statistics;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.FfmOpenCl;
import dev.quern.opencl.binding.OpenClException;
import dev.quern.opencl.binding.OpenClStatus;
import dev.quern.opencl.binding.OpenClUnavailableException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Uploads through pinned memory, which a device that shares the host's memory does not need. */
class PinnedUploadTest {
  private static final int PIECE = PinnedUpload.PIECE_BYTES;
  private static final int MANY = 11 * PIECE + 20;

  @TempDir private static Path cache = Path.of("");

  private Intercepted binding;
  private String failing = "";
  private int failures;

  @BeforeEach
  void load() throws OpenClUnavailableException {
    Requirements.device();
    // from then on the self-test is remembered and uploads nothing
    new OpenClBackendProvider().open(OpenOptions.defaults().withCache(cache)).close();
    binding = new Intercepted(FfmOpenCl.load(), this::after);
  }

  private synchronized void after(String name, Object[] arguments) {
    boolean ofHost =
        !name.equals("createBuffer") || ((long) arguments[1] & Cl.CL_MEM_ALLOC_HOST_PTR) != 0;
    if (failures > 0 && name.equals(failing) && ofHost) {
      failures--;
      throw new OpenClException(name + "()", OpenClStatus.OUT_OF_RESOURCES);
    }
  }

  private void fail(String call, int times) {
    failing = call;
    failures = times;
  }

  private Backend open(String uploads) {
    return new OpenClBackendProvider(binding::binding)
        .open(
            OpenOptions.defaults()
                .withCache(cache)
                .withSettings(Map.of("opencl.uploads", uploads)));
  }

  private static Tensor adopt(Backend backend, MemorySegment data) {
    return backend.adopt("w", WeightFormats.F32, Shape.of(1, data.byteSize() / 4), data);
  }

  private static MemorySegment random(Arena arena, long bytes) {
    byte[] values = new byte[Math.toIntExact(bytes)];
    new Random(bytes).nextBytes(values);
    MemorySegment data = arena.allocate(bytes, 64);
    return data.copyFrom(MemorySegment.ofArray(values));
  }

  private static void assertStored(Tensor tensor, MemorySegment data) {
    MemorySegment read = MemorySegment.ofArray(new byte[(int) data.byteSize()]);
    ((Buffer) tensor.storage()).read(0, read);
    assertThat(read.mismatch(data)).isEqualTo(-1);
  }

  // ---- what arrives

  @ParameterizedTest
  @ValueSource(ints = {4, 4096, 4100, PIECE - 4, PIECE, PIECE + 4, 2 * PIECE + 8, MANY})
  void everyByteArrives(int bytes) {
    try (Backend backend = open("pinned");
        Arena arena = Arena.ofShared()) {
      for (int repeat = 0; repeat < 3; repeat++) {
        MemorySegment data = random(arena, bytes);
        Tensor tensor = adopt(backend, data);
        MemorySegment expected = MemorySegment.ofArray(data.toArray(ValueLayout.JAVA_BYTE));
        data.fill((byte) 0); // it is free to be reused
        assertStored(tensor, expected);
      }
      assertThat(binding.calls("map")).isEqualTo(bytes > 4096 ? 1 : 0);
    }
  }

  @Test
  void fromAFileFromTheHeapAndFromMemoryOfOneThread(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("weights");
    try (Backend backend = open("pinned");
        Arena shared = Arena.ofShared();
        Arena mine = Arena.ofConfined()) {
      MemorySegment data = random(mine, MANY);
      byte[] bytes = data.toArray(ValueLayout.JAVA_BYTE);
      Files.write(file, bytes);
      assertStored(adopt(backend, data), data);
      assertStored(adopt(backend, MemorySegment.ofArray(bytes)), data);
      try (FileChannel channel = FileChannel.open(file)) {
        MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, MANY, shared);
        assertStored(adopt(backend, mapped), data);
      }
    }
  }

  @Test
  void uploadsAreCounted() {
    try (Backend backend = open("pinned");
        Arena arena = Arena.ofShared()) {
      Statistics before = backend.statistics();
      assertThat(before.uploadedBytes()).isZero();
      adopt(backend, random(arena, MANY));
      Statistics after = backend.statistics();
      assertThat(after.uploadedBytes()).isEqualTo(MANY).isEqualTo(after.adoptedBytes());
      assertThat(after.uploadNanos()).isPositive();
      try (Backend dry = backend.dryRun(0)) {
        adopt(dry, random(arena, MANY));
        assertThat(dry.statistics().adoptedBytes()).isEqualTo(MANY);
        assertThat(dry.statistics().uploadedBytes()).isZero();
      }
      assertThat(binding.calls("map")).isEqualTo(1);
    }
  }

  @Test
  void aDeviceThatSharesTheMemoryOfTheHostIsSparedTheCopy() {
    Requirements.cpuDevice();
    try (Backend backend = open("auto");
        Arena arena = Arena.ofShared()) {
      MemorySegment data = random(arena, MANY);
      assertStored(adopt(backend, data), data);
      assertThat(binding.calls("map")).isZero();
      assertThat(binding.calls("write")).isPositive();
    }
  }

  // ---- what fails

  @ParameterizedTest
  @ValueSource(strings = {"createBuffer", "map"})
  void withoutPinnedMemoryUploadsArePlainAndThatIsSaid(String call) {
    List<String> said = new ArrayList<>();
    Handler handler = listener(said);
    Logger logger = Logger.getLogger(Staging.class.getName());
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
    try (Backend backend = open("pinned");
        Arena arena = Arena.ofShared()) {
      fail(call, Integer.MAX_VALUE);
      for (int repeat = 0; repeat < 2; repeat++) {
        MemorySegment data = random(arena, MANY);
        assertStored(adopt(backend, data), data);
      }
      assertThat(backend.statistics().fallbacks()).isEqualTo(1);
      assertThat(said)
          .singleElement()
          .asString()
          .contains("uploads wait for the device")
          .contains("CL_OUT_OF_RESOURCES");
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(true);
    }
  }

  private static Handler listener(List<String> said) {
    return new Handler() {
      @Override
      public void publish(LogRecord record) {
        said.add(new SimpleFormatter().formatMessage(record));
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"writeAsync", "flush", "completed"})
  void aPieceThatCannotBeSentIsAnErrorAndNothingStays(String call) {
    try (Backend backend = open("pinned");
        Arena arena = Arena.ofShared()) {
      MemorySegment data = random(arena, MANY);
      adopt(backend, data);
      Statistics before = backend.statistics();
      fail(call, 1);
      assertThatThrownBy(() -> adopt(backend, data))
          .isInstanceOf(BackendException.class)
          .hasMessageContaining("write failed")
          .hasMessageContaining("CL_OUT_OF_RESOURCES")
          .hasCauseInstanceOf(OpenClException.class);
      assertThat(failures).isZero();
      Statistics failed = backend.statistics();
      assertThat(failed.residentBytes()).isEqualTo(before.residentBytes());
      assertThat(failed.liveBuffers()).isEqualTo(before.liveBuffers());
      assertThat(failed.uploadedBytes()).isEqualTo(before.uploadedBytes());
      assertStored(adopt(backend, data), data);
    }
  }
}
