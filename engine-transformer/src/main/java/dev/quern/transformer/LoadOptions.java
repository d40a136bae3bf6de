package dev.quern.transformer;

import dev.quern.core.CompileOptions;
import dev.quern.core.Precision;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.util.Map;

/**
 * How a model is loaded.
 *
 * @param compile precision and tunables of its batches
 * @param context positions a sequence can hold; 0 for the model's own, at most {@link
 *     #DEFAULT_CONTEXT}
 * @param sequences how many sessions may be open at a time
 * @param kvFormat how keys and values are kept: F32 or F16
 * @param chunk the most prompt tokens that run as one batch
 * @param progress told how many bytes of weights are loaded
 */
public record LoadOptions(
    CompileOptions compile,
    int context,
    int sequences,
    WeightFormat kvFormat,
    int chunk,
    Progress progress) {
  /** The largest context that is chosen by default. */
  public static final int DEFAULT_CONTEXT = 4096;

  /** Told how a load advances. */
  @FunctionalInterface
  public interface Progress {
    /** Nobody is told. */
    Progress NONE = (done, total) -> {};

    /** {@code done} of {@code total} bytes are loaded. */
    void loaded(long done, long total);
  }

  /**
   * @throws IllegalArgumentException if a number is out of range or the cache format is not F32 or
   *     F16
   */
  public LoadOptions {
    if (context < 0) {
      throw new IllegalArgumentException("context: must not be negative but is " + context);
    }
    if (sequences < 1) {
      throw new IllegalArgumentException("sequences: must be at least 1 but is " + sequences);
    }
    if (chunk < 1) {
      throw new IllegalArgumentException("chunk: must be at least 1 but is " + chunk);
    }
    if (!kvFormat.equals(WeightFormats.F32) && !kvFormat.equals(WeightFormats.F16)) {
      throw new IllegalArgumentException("kv format: must be F32 or F16 but is " + kvFormat.name());
    }
  }

  /** Exact arithmetic with an F32 cache, or fast with an F16 cache; one session. */
  public static LoadOptions of(Precision precision) {
    return new LoadOptions(
        new CompileOptions(precision, Map.of()),
        0,
        1,
        precision == Precision.EXACT ? WeightFormats.F32 : WeightFormats.F16,
        512,
        Progress.NONE);
  }

  /** {@link Precision#FAST}. */
  public static LoadOptions fast() {
    return of(Precision.FAST);
  }

  /** {@link Precision#EXACT}. */
  public static LoadOptions exact() {
    return of(Precision.EXACT);
  }

  /** These options with another context. */
  public LoadOptions withContext(int positions) {
    return new LoadOptions(compile, positions, sequences, kvFormat, chunk, progress);
  }

  /** These options for another number of open sessions. */
  public LoadOptions withSequences(int count) {
    return new LoadOptions(compile, context, count, kvFormat, chunk, progress);
  }

  /** These options with another cache format. */
  public LoadOptions withKvFormat(WeightFormat format) {
    return new LoadOptions(compile, context, sequences, format, chunk, progress);
  }

  /** These options with another chunk. */
  public LoadOptions withChunk(int tokens) {
    return new LoadOptions(compile, context, sequences, kvFormat, tokens, progress);
  }

  /** These options with somebody told how the load advances. */
  public LoadOptions withProgress(Progress listener) {
    return new LoadOptions(compile, context, sequences, kvFormat, chunk, listener);
  }

  /** These options with tunables. */
  public LoadOptions withSettings(Map<String, String> settings) {
    return new LoadOptions(
        new CompileOptions(compile.precision(), settings),
        context,
        sequences,
        kvFormat,
        chunk,
        progress);
  }
}
