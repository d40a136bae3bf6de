package dev.quern.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Files that are split into parts, {@code NAME-00001-of-00003.gguf} and so on: the first has the
 * metadata, each has some tensors, and each says which part it is ({@code split.no}, from 0), of
 * how many ({@code split.count}), with how many tensors together ({@code split.tensors.count}).
 */
final class GgufParts {
  /** What the keys that concern parts begin with. */
  static final String PREFIX = "split.";

  private static final String NUMBER = "split.no";
  private static final String COUNT = "split.count";
  private static final String TENSORS = "split.tensors.count";
  private static final Pattern NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

  private final Path given;
  private final GgufReader.Contents contents;
  private final int count;
  private final Matcher name;

  private GgufParts(Path given, GgufReader.Contents contents) {
    this.given = given;
    this.contents = contents;
    this.count = count(contents);
    this.name = NAME.matcher(String.valueOf(given.getFileName()));
  }

  /** What the parts are together. */
  record Whole(String name, long bytes, GgufReader.Contents contents) {}

  private record Part(Path path, long bytes, GgufReader.Contents contents) {}

  /** How many parts a file has, 1 if it is not split. */
  static int count(GgufReader.Contents contents) {
    int count = contents.metadata().findInt(COUNT).orElse(1);
    if (count < 1) {
      throw contents.metadata().problem(COUNT, "must be at least 1 but is " + count);
    }
    return count;
  }

  /** Maps a file, and the other parts of it if it is a part. */
  static Whole open(Path path, Arena arena) throws IOException {
    Part part = map(path, arena);
    GgufParts parts = new GgufParts(path, part.contents());
    return parts.count == 1
        ? new Whole(path.toString(), part.bytes(), part.contents())
        : parts.join(part, arena);
  }

  private static Part map(Path path, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long size = channel.size();
      MemorySegment segment =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena).asReadOnly();
      return new Part(path, size, GgufReader.read(path.toString(), segment));
    }
  }

  private Whole join(Part opened, Arena arena) throws IOException {
    checkName();
    int own = contents.metadata().requireInt(NUMBER);
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      parts.add(i == own ? opened : other(i, arena));
    }
    Part first = parts.getFirst();
    GgufReader.Contents whole = first.contents();
    return new Whole(
        first.path().toString(),
        parts.stream().mapToLong(Part::bytes).sum(),
        new GgufReader.Contents(
            whole.version(),
            whole.metadata(),
            whole.alignment(),
            whole.dataOffset(),
            tensors(parts)));
  }

  private void checkName() {
    int number = contents.metadata().requireInt(NUMBER);
    if (number < 0 || number >= count) {
      throw contents
          .metadata()
          .problem(NUMBER, "must be below the %d parts but is %d".formatted(count, number));
    }
    if (!name.matches()
        || Integer.parseInt(name.group(2)) != number + 1
        || Integer.parseInt(name.group(3)) != count) {
      throw new GgufException(
          ("%s: a file that says it is part %d of %d must be named …-%05d-of-%05d.gguf but is not;"
                  + " give it its name back")
              .formatted(given, number + 1, count, number + 1, count));
    }
  }

  private Part other(int index, Arena arena) throws IOException {
    Path path =
        given.resolveSibling("%s-%05d-of-%05d.gguf".formatted(name.group(1), index + 1, count));
    if (!Files.exists(path)) {
      throw new GgufException(
          "%s: part %d of %d must lie beside %s but is missing"
              .formatted(path, index + 1, count, given.getFileName()));
    }
    Part part = map(path, arena);
    checkSame(part, NUMBER, index);
    checkSame(part, COUNT, count);
    checkSame(part, TENSORS, contents.metadata().requireInt(TENSORS));
    return part;
  }

  private void checkSame(Part part, String key, int expected) {
    int actual = part.contents().metadata().requireInt(key);
    if (actual != expected) {
      throw part.contents()
          .metadata()
          .problem(
              key,
              "must be %d to belong to %s but is %d"
                  .formatted(expected, given.getFileName(), actual));
    }
  }

  private List<GgufTensor> tensors(List<Part> parts) {
    List<GgufTensor> tensors = new ArrayList<>();
    Map<String, Path> places = new HashMap<>();
    for (Part part : parts) {
      for (GgufTensor tensor : part.contents().tensors()) {
        Path before = places.put(tensor.name(), part.path());
        if (before != null) {
          throw new GgufException(
              "%s: tensor names must be unique among the parts but %s is in %s too"
                  .formatted(part.path(), tensor.name(), before.getFileName()));
        }
        tensors.add(tensor);
      }
    }
    int expected = contents.metadata().requireInt(TENSORS);
    if (tensors.size() != expected) {
      throw contents
          .metadata()
          .problem(
              TENSORS,
              "must be the tensors of all parts, %d, but is %d; a part is of another file"
                  .formatted(tensors.size(), expected));
    }
    return List.copyOf(tensors);
  }
}
