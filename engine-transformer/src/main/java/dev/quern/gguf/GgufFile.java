package dev.quern.gguf;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
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

  private GgufFile(GgufParts.Whole whole, @Nullable Arena arena) {
    this.name = whole.name();
    this.bytes = whole.bytes();
    this.contents = whole.contents();
    this.byName = new LinkedHashMap<>();
    for (GgufTensor tensor : contents.tensors()) {
      byName.put(tensor.name(), tensor);
    }
    this.arena = arena;
  }

  /**
   * Maps a file into memory; nothing but its metadata is read now.
   *
   * <p>Of a file that is split into {@code NAME-00001-of-00003.gguf} and so on, any part may be
   * named: all are opened, and are one file with the metadata of the first.
   *
   * @throws IOException if it cannot be read
   * @throws GgufException if it breaks a rule of the format, or if a part is missing or belongs to
   *     another file
   */
  public static GgufFile open(Path path) throws IOException {
    return owning(arena -> GgufParts.open(path, arena));
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
    return owning(arena -> {
      MemorySegment copy = arena.allocate(Math.max(1, size), COPY_ALIGNMENT);
      long at = 0;
      for (byte[] chunk : chunks) {
        MemorySegment.copy(MemorySegment.ofArray(chunk), 0, copy, at, chunk.length);
        at += chunk.length;
      }
      return whole(copy.asSlice(0, size), name);
    });
  }

  /**
   * Reads a file that is in memory already, which stays the caller's.
   *
   * @param name what messages call it
   * @throws GgufException if it breaks a rule of the format
   */
  public static GgufFile of(MemorySegment segment, String name) {
    return new GgufFile(whole(segment, name), null);
  }

  /** What messages call the file. */
  public String name() {
    return name;
  }

  /** The length of the file in bytes, of all parts together if it is split. */
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

  /** Where the data of the tensors begins, in the first part if the file is split. */
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
    GgufParts.Whole read(Arena arena) throws IOException;
  }

  private static GgufParts.Whole whole(MemorySegment segment, String name) {
    GgufReader.Contents contents = GgufReader.read(name, segment.asReadOnly());
    int parts = GgufParts.count(contents);
    if (parts > 1) {
      throw new GgufException(
          "%s: a file in memory must be whole but is one of %d parts; open its path"
              .formatted(name, parts));
    }
    return new GgufParts.Whole(name, segment.byteSize(), contents);
  }

  private static GgufFile owning(Source source) throws IOException {
    Arena arena = Arena.ofShared();
    try {
      return new GgufFile(source.read(arena), arena);
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }
}
