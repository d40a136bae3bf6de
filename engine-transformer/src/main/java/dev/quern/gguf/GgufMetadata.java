package dev.quern.gguf;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * The key-value pairs of a file, in the order of the file. They stay readable after the file is
 * closed.
 *
 * <p>{@code find…} answers empty where the key is absent, {@code require…} throws; both throw where
 * the value has another type or does not fit. Every integer type serves as {@code int} or {@code
 * long}, every number as {@code float}.
 */
public final class GgufMetadata {
  private final String source;
  private final Map<String, GgufValue> values;

  GgufMetadata(String source, Map<String, GgufValue> values) {
    this.source = source;
    this.values = Collections.unmodifiableMap(values);
  }

  /** Metadata of a model that is not in a file; {@code source} stands in messages. */
  public static Builder builder(String source) {
    return new Builder(source);
  }

  /** What messages call the file. */
  public String source() {
    return source;
  }

  /** Every pair, unmodifiable. */
  public Map<String, GgufValue> values() {
    return values;
  }

  /** The value of {@code key}, whatever its type. */
  public Optional<GgufValue> find(String key) {
    return Optional.ofNullable(values.get(key));
  }

  /** True if the key is there. */
  public boolean contains(String key) {
    return values.containsKey(key);
  }

  /** The whole number of {@code key}. */
  public OptionalInt findInt(String key) {
    OptionalLong value = findLong(key);
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    if (value.getAsLong() != (int) value.getAsLong()) {
      throw problem(key, "must fit 32 bits but is " + value.getAsLong());
    }
    return OptionalInt.of((int) value.getAsLong());
  }

  /** The whole number of {@code key}. */
  public int requireInt(String key) {
    return findInt(key).orElseThrow(() -> absent(key));
  }

  /** The whole number of {@code key}. */
  public OptionalLong findLong(String key) {
    return find(key)
        .map(value -> {
          if (!(value instanceof GgufValue.Whole whole)) {
            throw mistyped(key, "a whole number", value);
          }
          if (whole.type() == GgufType.UINT64 && whole.value() < 0) {
            throw problem(key, "must be at most 2^63 - 1 but is " + whole);
          }
          return OptionalLong.of(whole.value());
        })
        .orElse(OptionalLong.empty());
  }

  /** The whole number of {@code key}. */
  public long requireLong(String key) {
    return findLong(key).orElseThrow(() -> absent(key));
  }

  /** The number of {@code key}, rounded to float32. */
  public Optional<Float> findFloat(String key) {
    return find(key)
        .map(value ->
            switch (value) {
              case GgufValue.Real real -> (float) real.value();
              case GgufValue.Whole whole -> (float) whole.value();
              case GgufValue.Bool _, GgufValue.Text _, GgufValue.Array _ ->
                  throw mistyped(key, "a number", value);
            });
  }

  /** The number of {@code key}, rounded to float32. */
  public float requireFloat(String key) {
    return findFloat(key).orElseThrow(() -> absent(key));
  }

  /** The truth value of {@code key}. */
  public Optional<Boolean> findBoolean(String key) {
    return findAs(key, GgufValue.Bool.class, "a bool").map(GgufValue.Bool::value);
  }

  /** The truth value of {@code key}. */
  public boolean requireBoolean(String key) {
    return findBoolean(key).orElseThrow(() -> absent(key));
  }

  /** The string of {@code key}. */
  public Optional<String> findString(String key) {
    return findAs(key, GgufValue.Text.class, "a string").map(GgufValue.Text::value);
  }

  /** The string of {@code key}. */
  public String requireString(String key) {
    return findString(key).orElseThrow(() -> absent(key));
  }

  /** The array of strings of {@code key}. */
  public Optional<GgufStrings> findStrings(String key) {
    return findAs(key, GgufStrings.class, "an array of strings");
  }

  /** The array of strings of {@code key}. */
  public GgufStrings requireStrings(String key) {
    return findStrings(key).orElseThrow(() -> absent(key));
  }

  /** The array of whole numbers of {@code key}; booleans count as 0 and 1. */
  public Optional<int[]> findInts(String key) {
    return findAs(key, GgufNumbers.class, "an array of whole numbers")
        .map(numbers -> {
          if (numbers.elementType().isReal()) {
            throw mistyped(key, "an array of whole numbers", numbers);
          }
          return toInts(key, numbers);
        });
  }

  /** The array of whole numbers of {@code key}; booleans count as 0 and 1. */
  public int[] requireInts(String key) {
    return findInts(key).orElseThrow(() -> absent(key));
  }

  /** The array of numbers of {@code key}, rounded to float32. */
  public Optional<float[]> findFloats(String key) {
    return findAs(key, GgufNumbers.class, "an array of numbers").map(GgufMetadata::toFloats);
  }

  /** The array of numbers of {@code key}, rounded to float32. */
  public float[] requireFloats(String key) {
    return findFloats(key).orElseThrow(() -> absent(key));
  }

  /** A builder with these keys but those that say how the file is split. */
  public Builder ofWholeFile() {
    Builder builder = builder(source);
    values.forEach((key, value) -> {
      if (!key.startsWith(GgufParts.PREFIX)) {
        builder.put(key, value);
      }
    });
    return builder;
  }

  /** An exception about the value of {@code key}, for example that no model has such a value. */
  public GgufException problem(String key, String ruleAndActual) {
    return new GgufException("%s: metadata %s: %s".formatted(source, key, ruleAndActual));
  }

  private <V extends GgufValue> Optional<V> findAs(String key, Class<V> kind, String expected) {
    Function<GgufValue, V> cast =
        value -> {
          if (!kind.isInstance(value)) {
            throw mistyped(key, expected, value);
          }
          return kind.cast(value);
        };
    return find(key).map(cast);
  }

  private int[] toInts(String key, GgufNumbers numbers) {
    int[] ints = new int[numbers.size()];
    for (int i = 0; i < ints.length; i++) {
      long value = numbers.getLong(i);
      if (value != (int) value) {
        throw problem(key, "element %d must fit 32 bits but is %d".formatted(i, value));
      }
      ints[i] = (int) value;
    }
    return ints;
  }

  private static float[] toFloats(GgufNumbers numbers) {
    float[] floats = new float[numbers.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) numbers.getDouble(i);
    }
    return floats;
  }

  private GgufException absent(String key) {
    return problem(key, "must be present but is not; the file is not a model of this kind");
  }

  private GgufException mistyped(String key, String expected, GgufValue actual) {
    String type =
        actual instanceof GgufValue.Array array
            ? "an array of " + array.elementType()
            : actual.type().toString();
    return problem(key, "must be %s but is %s".formatted(expected, type));
  }

  /** Collects pairs in order; a key that is put twice keeps its last value. */
  public static final class Builder {
    private final String source;
    private final Map<String, GgufValue> values = new LinkedHashMap<>();

    private Builder(String source) {
      this.source = source;
    }

    /** Adds a value of any type. */
    public Builder put(String key, GgufValue value) {
      values.put(key, value);
      return this;
    }

    /** Adds a string. */
    public Builder put(String key, String value) {
      return put(key, new GgufValue.Text(value));
    }

    /** Adds a whole number: uint32 where it fits, as most keys want it, else int32 or int64. */
    public Builder put(String key, long value) {
      GgufType type =
          value >= 0 && value <= 0xFFFFFFFFL
              ? GgufType.UINT32
              : value == (int) value ? GgufType.INT32 : GgufType.INT64;
      return put(key, new GgufValue.Whole(type, value));
    }

    /** Adds a float32. */
    public Builder put(String key, float value) {
      return put(key, new GgufValue.Real(GgufType.FLOAT32, value));
    }

    /** Adds a truth value. */
    public Builder put(String key, boolean value) {
      return put(key, new GgufValue.Bool(value));
    }

    /** Adds an array of strings. */
    public Builder putStrings(String key, List<String> values) {
      return put(key, GgufStrings.of(values));
    }

    /** Adds every pair of {@code metadata}. */
    public Builder putAll(GgufMetadata metadata) {
      values.putAll(metadata.values);
      return this;
    }

    /** The metadata. */
    public GgufMetadata build() {
      return new GgufMetadata(source, new LinkedHashMap<>(values));
    }
  }
}
