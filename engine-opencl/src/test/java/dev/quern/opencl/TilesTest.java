package dev.quern.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.quern.core.BatchRecorder;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.FfmOpenCl;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClUnavailableException;
import dev.quern.testkit.RandomWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights in tiles against the decoders that define the formats. */
class TilesTest {
  private static final int N = 96;
  private static final int K = 512;

  /** Every element of a matrix, and the products of its rows with one row of activations. */
  private static final String PROBE =
      """
      #define PASTE2(a, b) a##b
      #define PASTE(a, b) PASTE2(a, b)
      #define F(name) PASTE(FORMAT, _##name)
      kernel void probe(global const uchar *w, const uint low, const uint high, global float *elements,
                        global const uint4 *x, global float *dots) {
        local uint4 act[K / 8 + K / 64];
        const uint tile = get_group_id(0);
        const uint chunks = K / COLUMNS;
        w += (ulong)low | (ulong)high << 32;
        for (uint i = 0; i < K / 8 + K / 64; i++) {
          act[i] = x[i];
        }
        const uint act4 = COLUMNS == 64 ? 8 : 16;
        for (uint r = 0; r < 32; r++) {
          float sum = 0;
          for (uint c = 0; c < chunks; c++) {
            global const uchar *chunk = w + (tile * chunks + c) * F(CHUNK_BYTES);
            for (uint i = 0; i < COLUMNS; i++) {
              elements[(tile * 32 + r) * K + c * COLUMNS + i] = F(element)(chunk, r, i);
            }
            F(header) h = F(load_header)(chunk, r);
            for (int side = 0; side < 2; side++) {
              F(quants) q;
              F(load_quants)(&q, chunk, side, r);
              sum += F(dot)(h, &q, side, (local const int4 *)act + c * act4,
                            (local const float4 *)(act + K / COLUMNS * act4) + c * (COLUMNS / 64));
            }
          }
          dots[tile * 32 + r] = sum;
        }
      }
      """;

  private OpenClBackend backend;

  static List<WeightFormat> formats() {
    return List.of(
        WeightFormats.Q4_K,
        WeightFormats.Q5_K,
        WeightFormats.Q6_K,
        WeightFormats.Q4_0,
        WeightFormats.Q8_0,
        WeightFormats.TQ2_0,
        WeightFormats.F16);
  }

  @BeforeEach
  void open() throws OpenClUnavailableException {
    Requirements.device();
    OpenCl cl = FfmOpenCl.load();
    ClDevice device = ClDevice.list(cl).getFirst();
    backend = OpenClBackend.open(cl, device, Settings.DEFAULTS, null);
  }

  @AfterEach
  void close() {
    if (backend != null) {
      backend.close();
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void elementsAndProductsAreThoseOfTheFormat(WeightFormat format) {
    Random random = new Random(format.ggufId());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = new RandomWeights().make(arena, format, N * K, random);
      float[] weights = new float[N * K];
      format.decode(data, 0, weights, 0, weights.length);
      Tensor w = backend.adopt("w", format, Shape.of(N, K), data);
      assertThat(Tiles.refusal(w)).isEmpty();
      Tensor tiled = Tiles.of(w);

      float[] quantised = new float[K];
      MemorySegment x = arena.allocate(2 * K + K / 4, 16);
      activations(format, random, x, quantised);
      float[] elements = new float[N * K];
      float[] dots = new float[N];
      probe(format, tiled, x, elements, dots);

      for (int i = 0; i < elements.length; i++) {
        assertThat(elements[i]).isEqualTo(weights[i], within(1e-6f * Math.abs(weights[i])));
      }
      for (int row = 0; row < N; row++) {
        double sum = 0;
        double size = 0;
        for (int i = 0; i < K; i++) {
          sum += (double) weights[row * K + i] * quantised[i];
          size += Math.abs((double) weights[row * K + i] * quantised[i]);
        }
        assertThat((double) dots[row]).isEqualTo(sum, within(2e-6 * size));
      }
    }
  }

  /** Activations as a wave has them in local memory, and what they mean. */
  private static void activations(
      WeightFormat format, Random random, MemorySegment x, float[] meaning) {
    boolean halves = Tiles.columns(format) == 64;
    long scales = halves ? 2 * K : K;
    for (int block = 0; block < K / 32; block++) {
      float d = 0.01f + random.nextFloat();
      int sum = 0;
      for (int i = 32 * block; i < 32 * block + 32; i++) {
        int q = random.nextInt(255) - 127;
        sum += q;
        meaning[i] = d * q;
        if (halves) {
          x.set(ValueLayout.JAVA_SHORT, 2L * i, Float.floatToFloat16(q));
        } else {
          x.set(ValueLayout.JAVA_BYTE, i, (byte) q);
        }
      }
      x.set(ValueLayout.JAVA_FLOAT, scales + 8L * block, d);
      x.set(ValueLayout.JAVA_FLOAT, scales + 8L * block + 4, d * sum);
    }
  }

  private void probe(
      WeightFormat format, Tensor tiled, MemorySegment x, float[] elements, float[] dots) {
    OpenDevice device = backend.opened();
    OpenCl cl = device.cl();
    Region region = DeviceBuffer.region((DeviceBuffer) tiled.storage());
    String text =
        "#define FORMAT %s%n#define COLUMNS %d%n#define K %d%n"
                .formatted(FormatSources.lower(format), Tiles.columns(format), K)
            + ProgramText.withLibrary(Tiles.source(format))
            + PROBE;
    long kernel = cl.createKernel(device.program(text, BuildOptions.of(device)), "probe");
    long[] buffers = {
      cl.createBuffer(device.context(), Cl.CL_MEM_READ_WRITE, 4L * elements.length),
      cl.createBuffer(device.context(), Cl.CL_MEM_READ_WRITE, x.byteSize()),
      cl.createBuffer(device.context(), Cl.CL_MEM_READ_WRITE, 4L * dots.length)
    };
    device.write(buffers[1], 0, x);
    cl.setBuffer(kernel, 0, device.memory().buffer(region.arena()));
    cl.setInt(kernel, 1, (int) region.offset());
    cl.setInt(kernel, 2, (int) (region.offset() >>> 32));
    for (int i = 0; i < buffers.length; i++) {
      cl.setBuffer(kernel, 3 + i, buffers[i]);
    }
    cl.launch(device.queue(), kernel, N / Tiles.ROWS, 1);
    device.read(buffers[0], 0, MemorySegment.ofArray(elements));
    device.read(buffers[2], 0, MemorySegment.ofArray(dots));
    for (long buffer : buffers) {
      cl.releaseBuffer(buffer);
    }
    cl.releaseKernel(kernel);
  }

  @Test
  void aWeightLiesOnTheDeviceOnceUnlessOpenBatchesUseBothOrders() {
    try (Arena arena = Arena.ofConfined()) {
      WeightFormat format = WeightFormats.Q4_K;
      MemorySegment data = new RandomWeights().make(arena, format, N * K, new Random(3));
      Tensor w = backend.adopt("w", format, Shape.of(N, K), data);
      long once = backend.statistics().residentBytes();
      DeviceBuffer tiles = (DeviceBuffer) Tiles.of(w).storage();
      assertThat(backend.statistics().residentBytes()).isEqualTo(once);

      byte[] before = read(w);
      DeviceBuffer.region(tiles);
      assertThat(backend.statistics().residentBytes())
          .as("the file's order is gone")
          .isEqualTo(once);
      assertThat(read(w)).as("and comes back").isEqualTo(before).isEqualTo(bytes(data));
      assertThat(backend.statistics().residentBytes()).isEqualTo(once);

      BatchRecorder recorder = CommandBatch.record("product");
      Tensor x = recorder.input("x", Shape.of(1, K));
      recorder.output("y", recorder.matmul(x, w));
      try (CompiledBatch batch = backend.compile(recorder.end(), CompileOptions.exact())) {
        assertThat(batch.batch().ops()).hasSize(1);
        long used = backend.statistics().residentBytes();
        DeviceBuffer.region(tiles);
        assertThat(backend.statistics().residentBytes()).as("both").isEqualTo(used + once);
      }
    }
  }

  private static byte[] read(Tensor w) {
    byte[] bytes = new byte[(int) w.bytes()];
    ((DeviceBuffer) w.storage()).read(0, MemorySegment.ofArray(bytes));
    return bytes;
  }

  private static byte[] bytes(MemorySegment data) {
    return data.toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void matricesThatAreNoWholeTilesAreRefused() {
    try (Arena arena = Arena.ofConfined()) {
      WeightFormat format = WeightFormats.Q8_0;
      MemorySegment data = arena.allocate(format.bytes(N * K), 64);
      Tensor w = backend.adopt("w", format, Shape.of(N, K), data);
      assertThat(Tiles.refusal(w.rows(32, 64))).isEmpty();
      assertThat(Tiles.refusal(w.rows(16, 64))).contains("whole number of tiles of 32 by 256");
      assertThat(Tiles.refusal(w.rows(32, 33))).contains("whole number of tiles");
      assertThat(Tiles.refusal(w.reshape(Shape.of(2 * N, K / 2)))).isEmpty();
      assertThat(Tiles.refusal(w.reshape(Shape.of(4 * N, K / 4))))
          .contains("whole number of tiles");
      MemorySegment numbers = arena.allocate(4 * N * K, 64);
      Tensor f32 = backend.adopt("f", WeightFormats.F32, Shape.of(N, K), numbers);
      assertThat(Tiles.refusal(f32)).contains("no tiles of F32");
    }
  }
}
