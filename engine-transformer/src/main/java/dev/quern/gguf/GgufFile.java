package dev.quern.gguf;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An open GGUF file. It owns the memory of its tensors, which is gone when it is closed; {@link
 * #metadata} stays.
 *
 * <p>Everything the file says is checked when it is opened: a file that breaks a rule, by accident
 * or on purpose, is answered with a {@link GgufException} that names the file, the byte and the
 * rule.
 *
 * <pre>{@code
 * try (GgufFile file = GgufFile.open(Path.of("model.gguf"))) {
 *   String architecture = file.metadata().requireString("general.architecture");
 *   GgufTensor embedding = file.require("token_embd.weight");
 * }
 * }</pre>
 */
public final class GgufFile implements AutoCloseable {
  /** Cache lines, and what vector loads like. */
  private static final long COPY_ALIGNMENT = 64;

  private final String name;
  private final long bytes;
  private final GgufReader.Contents contents;
  private final Map<String, GgufTensor> byName;
  private final @Nullable Arena arena;

  private GgufFile(String name, MemorySegment segment, @Nullable Arena arena) {
    this.name = name;
    this.bytes = segment.byteSize();
    this.contents = GgufReader.read(name, segment);
    this.byName = new LinkedHashMap<>();
    for (GgufTensor tensor : contents.tensors()) {
      byName.put(tensor.name(), tensor);
    }
    this.arena = arena;
  }

  /**
   * Maps a file into memory; nothing but its metadata is read now.
   *
   * @throws IOException if it cannot be read
   * @throws GgufException if it breaks a rule of the format
   */
  public static GgufFile open(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return owning(
          path.toString(),
          arena -> channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
    }
  }

  /**
   * Copies a whole stream, for example a resource, into memory outside the heap. The caller closes
   * the stream.
   *
   * @param name what messages call it
   * @throws IOException if it cannot be read
   * @throws GgufException if it breaks a rule of the format
   */
  public static GgufFile read(InputStream stream, String name) throws IOException {
    List<byte[]> chunks = new ArrayList<>();
    long total = 0;
    while (true) {
      byte[] chunk = stream.readNBytes(1 << 20);
      if (chunk.length == 0) {
        break;
      }
      chunks.add(chunk);
      total += chunk.length;
    }
    long size = total;
    return owning(
        name,
        arena -> {
          MemorySegment copy = arena.allocate(Math.max(1, size), COPY_ALIGNMENT);
          long at = 0;
          for (byte[] chunk : chunks) {
            MemorySegment.copy(MemorySegment.ofArray(chunk), 0, copy, at, chunk.length);
            at += chunk.length;
          }
          return copy.asSlice(0, size);
        });
  }

  /**
   * Reads a file that is in memory already, which stays the caller's.
   *
   * @param name what messages call it
   * @throws GgufException if it breaks a rule of the format
   */
  public static GgufFile of(MemorySegment segment, String name) {
    return new GgufFile(name, segment.asReadOnly(), null);
  }

  /** What messages call the file. */
  public String name() {
    return name;
  }

  /** The length of the file in bytes. */
  public long bytes() {
    return bytes;
  }

  /** The version of the format, 2 or 3. */
  public int version() {
    return contents.version();
  }

  /** The key-value pairs. */
  public GgufMetadata metadata() {
    return contents.metadata();
  }

  /** What the offset of each tensor in the data is a multiple of. */
  public int alignment() {
    return contents.alignment();
  }

  /** Where the data of the tensors begins. */
  public long dataOffset() {
    return contents.dataOffset();
  }

  /** The tensors, in the order in which the file describes them. */
  public List<GgufTensor> tensors() {
    return contents.tensors();
  }

  /** The tensor of this name, if there is one. */
  public Optional<GgufTensor> find(String tensor) {
    return Optional.ofNullable(byName.get(tensor));
  }

  /**
   * The tensor of this name.
   *
   * @throws GgufException if there is none
   */
  public GgufTensor require(String tensor) {
    return find(tensor)
        .orElseThrow(() ->
            new GgufException(
                "%s: tensor %s must be present but is not among the %d tensors of the file"
                    .formatted(name, tensor, byName.size())));
  }

  /** Releases the memory, if this object owns it; every tensor's segment is dead from then on. */
  @Override
  public void close() {
    if (arena != null) {
      arena.close();
    }
  }

  private interface Source {
    MemorySegment segment(Arena arena) throws IOException;
  }

  private static GgufFile owning(String name, Source source) throws IOException {
    Arena arena = Arena.ofShared();
    try {
      return new GgufFile(name, source.segment(arena).asReadOnly(), arena);
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }
}
