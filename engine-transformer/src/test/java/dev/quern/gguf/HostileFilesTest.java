package dev.quern.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.quern.fable.FableModels;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged and malicious files end in an exception that says why, soon and with little memory. */
class HostileFilesTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  @Test
  void aFileCutAnywhereIsRefused() throws IOException {
    byte[] file = GgufFilesTest.written(GgufFilesTest.everyType(), GgufFilesTest.tensors());
    long end = dataEnd(file);
    for (int length = 0; length < file.length; length++) {
      byte[] cut = Arrays.copyOf(file, length);
      if (length < end) {
        assertThatThrownBy(() -> read(cut))
            .as("%d bytes", length)
            .isInstanceOf(GgufException.class);
      } else {
        read(cut);
      }
    }
  }

  @Test
  void aModelCutInItsFirstKilobytesIsRefused() throws IOException {
    byte[] file = fable();
    for (int length = 0; length < 5_000; length++) {
      byte[] cut = Arrays.copyOf(file, length);
      assertThatThrownBy(() -> read(cut))
          .isInstanceOf(GgufException.class)
          .hasMessageMatching("(?s)hostile: byte \\d+: .* must .* but .*");
    }
  }

  @Test
  void flippedBytesEndInAnAnswer() throws IOException {
    byte[] small = GgufFilesTest.written(GgufFilesTest.everyType(), GgufFilesTest.tensors());
    int refused = 0;
    for (int seed = 0; seed < 30_000; seed++) {
      refused += refuses(mutated(small, new Random(seed), small.length)) ? 1 : 0;
    }
    assertThat(refused).isBetween(3_000, 29_000);
  }

  @Test
  void flippedBytesOfAModelEndInAnAnswer() throws IOException {
    byte[] fable = Arrays.copyOf(fable(), 200_000);
    Assertions.assertTimeoutPreemptively(
        SOON,
        () -> {
          for (int seed = 0; seed < 500; seed++) {
            refuses(mutated(fable, new Random(seed), 2_000));
          }
        });
  }

  @Test
  void aHugeCountAllocatesNothing() throws IOException {
    byte[] file = GgufFilesTest.written(GgufFilesTest.everyType(), GgufFilesTest.tensors());
    ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (long count : new long[] {Long.MAX_VALUE, -1, 1L << 31, 0x7FFFFFFF, 1L << 28, 1 << 24}) {
      for (int at = 8; at < file.length - 8; at++) {
        byte[] changed = file.clone();
        ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putLong(at, count);
        long before = memory.getCurrentThreadAllocatedBytes();
        refuses(changed);
        assertThat(memory.getCurrentThreadAllocatedBytes() - before)
            .as("allocated for count %d at %d", count, at)
            .isLessThan(1 << 20);
      }
    }
  }

  @Test
  void aHugeSparseFileIsRefusedQuickly(@TempDir Path folder) throws IOException {
    Path path = folder.resolve("sparse.gguf");
    byte[] head = head(1, 0);
    try (FileChannel channel =
        FileChannel.open(
            path,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.SPARSE,
            StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(head));
      channel.write(ByteBuffer.wrap(new byte[1]), 6L << 30);
    }
    // one pair: an array of as many bytes as the file has
    ByteBuffer pair = pair("k", 9).putInt(0).putLong(5L << 30);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      channel.write(pair.flip(), head.length);
    }
    Assertions.assertTimeoutPreemptively(
        SOON,
        () ->
            assertThatThrownBy(() -> GgufFile.open(path).close())
                .isInstanceOf(GgufException.class)
                .hasMessageContaining("length of metadata k must be at most"));
    Files.delete(path);
  }

  @Test
  void everyRuleNamesWhatBreaksIt() {
    refused(
        "GGML".getBytes(StandardCharsets.UTF_8), "byte 0: a GGUF file must begin with \"GGUF\"");
    refused(new byte[0], "byte 0: magic must have 4 bytes but 0 are left");
    byte[] old = head(0, 0);
    old[4] = 1;
    refused(old, "byte 4: version must be 2 or 3 but is 1");
    byte[] big = head(0, 0);
    Arrays.fill(big, 4, 8, (byte) 0);
    big[7] = 3;
    refused(big, "big-endian");
    refused(file(1, pair("k", 13)), "type of metadata k must be 0 to 12 but is 13");
    refused(file(1, pair("k", 7).put((byte) 2)), "metadata k must be 0 or 1 but is 2");
    refused(
        file(2, both(pair("k", 0).put((byte) 1), pair("k", 0).put((byte) 1))),
        "metadata keys must be unique but k comes twice");
    refused(file(1, pair("k", 8).putLong(100)), "length of metadata k must be at most 0");
    refused(
        file(1, pair("general.alignment", 4).putInt(24)),
        "metadata general.alignment: must be a power of two up to 1048576 but is 24");
    ByteBuffer deep = pair("k", 9);
    for (int i = 0; i < 20; i++) {
      deep.putInt(9).putLong(1);
    }
    refused(file(1, deep), "must be nested at most 4 deep but is deeper");
  }

  @Test
  void everyRuleOfTensorsNamesWhatBreaksIt() {
    refused(tensors(tensor("t", 99, 0, 4)), "but has type id 99");
    refused(tensors(tensor("t", 4, 0, 4)), "but has type id 4");
    refused(tensors(tensor("t", 0, 0)), "tensor t must have 1 to 4 dimensions but has 0");
    refused(tensors(tensor("t", 0, 0, 1, 1, 1, 1, 1)), "must have 1 to 4 dimensions but has 5");
    refused(tensors(tensor("t", 0, 0, 4, 0)), "must be positive with a product of at most 2^55");
    refused(tensors(tensor("t", 0, 0, 4, -1)), "but are [4, 18446744073709551615]");
    refused(tensors(tensor("t", 0, 0, 1L << 32, 1L << 32)), "a product of at most 2^55");
    refused(
        tensors(tensor("t", 2, 0, 33)), "rows of tensor t:Q4_0 must be a multiple of the block");
    refused(tensors(tensor("t", 0, 16, 4)), "must be a multiple of the alignment 32 but is 16");
    refused(tensors(tensor("t", 0, 0, 1000)), "tensor t must lie inside the 256 bytes of data");
    refused(tensors(tensor("t", 0, -32, 4)), "at offset 18446744073709551584");
    refused(tensors(tensor("t", 0, 1L << 62, 4)), "must lie inside the 256 bytes");
    refused(
        tensors(tensor("t", 0, 0, 4), tensor("t", 0, 32, 4)),
        "tensor names must be unique but t comes twice");
    refused(
        tensors(tensor("t", 0, 32, 4), tensor("u", 0, 0, 16)),
        "tensors must not overlap but u (64 bytes at offset 0) and t (offset 32) do");
    refused(
        tensors(tensor("n".repeat(65), 0, 0, 4)), "length of name of tensor 0 must be at most 64");
    assertThat(read(tensors(tensor("t", 0, 32, 4), tensor("u", 0, 0, 8))).tensors()).hasSize(2);
  }

  private static void refused(byte[] file, String message) {
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(GgufException.class)
        .hasMessageStartingWith("hostile: ")
        .hasMessageContaining(message);
  }

  private static boolean refuses(byte[] file) {
    try {
      GgufFile read = read(file);
      // what was accepted can be described and touched
      read.metadata().values().values().forEach(value -> assertThat(value.toString()).isNotNull());
      for (GgufTensor tensor : read.tensors()) {
        tensor.segment().get(ValueLayout.JAVA_BYTE, tensor.bytes() - 1);
      }
      return false;
    } catch (GgufException e) {
      return true;
    }
  }

  private static GgufFile read(byte[] file) {
    return GgufFile.of(MemorySegment.ofArray(file), "hostile");
  }

  private static byte[] mutated(byte[] file, Random random, int within) {
    byte[] changed = file.clone();
    int flips = 1 + random.nextInt(3);
    for (int i = 0; i < flips; i++) {
      int at = random.nextInt(within);
      changed[at] =
          (byte)
              switch (random.nextInt(4)) {
                case 0 -> 0xFF;
                case 1 -> 0;
                case 2 -> changed[at] ^ (1 << random.nextInt(8));
                default -> random.nextInt(256);
              };
    }
    return changed;
  }

  private static long dataEnd(byte[] file) {
    return read(file).tensors().stream()
        .mapToLong(tensor -> tensor.offset() + tensor.bytes())
        .max()
        .orElseThrow();
  }

  private static byte[] fable() throws IOException {
    try (InputStream in = FableModels.defaultModel().open()) {
      return in.readAllBytes();
    }
  }

  private static byte[] head(long pairs, long tensors) {
    return buffer()
        .put("GGUF".getBytes(StandardCharsets.UTF_8))
        .putInt(3)
        .putLong(tensors)
        .putLong(pairs)
        .flip()
        .array();
  }

  private static ByteBuffer buffer() {
    return ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer pair(String key, int type) {
    ByteBuffer pair = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
    byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
    return pair.putLong(bytes.length).put(bytes).putInt(type);
  }

  private static ByteBuffer both(ByteBuffer first, ByteBuffer second) {
    return first.put(second.flip());
  }

  private static byte[] file(long pairs, ByteBuffer rest) {
    byte[] head = head(pairs, 0);
    byte[] file = Arrays.copyOf(head, head.length + rest.position());
    rest.flip().get(file, head.length, rest.limit());
    return file;
  }

  private static Consumer<ByteBuffer> tensor(String name, int type, long offset, long... extents) {
    return out -> {
      out.putLong(name.length()).put(name.getBytes(StandardCharsets.UTF_8)).putInt(extents.length);
      Arrays.stream(extents).forEach(out::putLong);
      out.putInt(type).putLong(offset);
    };
  }

  /** A file with these tensors and 256 bytes of data. */
  @SafeVarargs
  private static byte[] tensors(Consumer<ByteBuffer>... tensors) {
    ByteBuffer out = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    out.put(head(0, tensors.length));
    for (Consumer<ByteBuffer> tensor : tensors) {
      tensor.accept(out);
    }
    return Arrays.copyOf(out.array(), (out.position() + 31) / 32 * 32 + 256);
  }
}
