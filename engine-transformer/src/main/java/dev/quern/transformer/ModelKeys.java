package dev.quern.transformer;

import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufNumbers;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** The keys under an architecture's prefix, and which of them were asked for. */
final class ModelKeys {
  private final ModelSource source;
  private final GgufMetadata metadata;
  private final String architecture;
  private final Set<String> asked = new HashSet<>();

  ModelKeys(ModelSource source, String architecture) {
    this.source = source;
    this.metadata = source.metadata();
    this.architecture = architecture;
  }

  boolean has(String key) {
    return metadata.contains(full(key));
  }

  int number(String key, int otherwise) {
    return metadata.findInt(full(key)).orElse(otherwise);
  }

  int positive(String key) {
    int value = metadata.requireInt(full(key));
    if (value < 1) {
      throw problem(key, "must be positive", value);
    }
    return value;
  }

  int positive(String key, int otherwise) {
    return has(key) ? positive(key) : otherwise;
  }

  float real(String key) {
    return finite(key, metadata.requireFloat(full(key)));
  }

  float real(String key, float otherwise) {
    return finite(key, metadata.findFloat(full(key)).orElse(otherwise));
  }

  private float finite(String key, float value) {
    if (!Float.isFinite(value)) {
      throw problem(key, "must be finite", value);
    }
    return value;
  }

  String text(String key, String otherwise) {
    return metadata.findString(full(key)).orElse(otherwise);
  }

  /** The one value that is computed. */
  void require(String key, int value) {
    int actual = number(key, value);
    if (actual != value) {
      throw problem(key, "must be " + value, actual);
    }
  }

  /** The one value that is computed. */
  void require(String key, boolean value) {
    boolean actual = metadata.findBoolean(full(key)).orElse(value);
    if (actual != value) {
      throw problem(key, "must be " + value, actual);
    }
  }

  /** The one value that is computed. */
  void require(String key, float value) {
    float actual = real(key, value);
    if (actual != value) {
      throw problem(key, "must be " + value, actual);
    }
  }

  /**
   * Which blocks a key with a truth value for each block names, or all but every so many: block
   * {@code period − 1}, {@code 2·period − 1}, … is not; 0 for all.
   */
  List<Boolean> pattern(String key, int otherwise, int blocks) {
    String full = full(key);
    if (!(metadata.find(full).orElse(null) instanceof GgufNumbers)) {
      int period = Math.max(0, number(key, otherwise));
      return IntStream.range(0, blocks)
          .mapToObj(block -> period == 0 || block % period < period - 1)
          .toList();
    }
    int[] named = metadata.requireInts(full);
    if (named.length < blocks) {
      throw problem(key, "must have an element for each of " + blocks + " blocks", named.length);
    }
    return IntStream.range(0, blocks).mapToObj(block -> named[block] != 0).toList();
  }

  /** Keys that say nothing the tensors do not. */
  void ignore(List<String> keys) {
    keys.forEach(this::full);
  }

  /**
   * Every key must have been asked for: one that was not means that the model computes something
   * this code does not know of.
   *
   * @throws ModelException naming those that were not
   */
  void requireAllAsked() {
    Set<String> unknown = new TreeSet<>();
    for (String key : metadata.values().keySet()) {
      if (key.startsWith(architecture + ".") && !asked.contains(key)) {
        unknown.add(key);
      }
    }
    if (!unknown.isEmpty()) {
      throw new ModelException(
          "%s: every key of the model family must be known but %s are not; the file needs something"
                  .formatted(source.name(), unknown)
              + " this version does not compute");
    }
  }

  ModelException problem(String key, String rule, Object actual) {
    return new ModelException(
        "%s: %s.%s %s but is %s".formatted(source.name(), architecture, key, rule, actual));
  }

  private String full(String key) {
    String full = architecture + "." + key;
    asked.add(full);
    return full;
  }
}
