package dev.quern.cli;

import dev.quern.core.Statistics;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * How long it took to the first token, in seconds. Not in it: making random weights.
 *
 * @param jvm from the start of the JVM to the command
 * @param open opening the backend
 * @param load loading the model, uploads included
 * @param first from then to the first token after a prompt, its batches built
 * @param upload weights copied to a device while it was loaded
 */
record StartUp(double jvm, double open, double load, double first, Upload upload) {

  /**
   * Weights copied to a device.
   *
   * @param bytes how many
   * @param seconds how long the host was busy with them
   */
  record Upload(long bytes, double seconds) {
    static Upload of(Statistics statistics) {
      return new Upload(statistics.uploadedBytes(), StartUp.seconds(statistics.uploadNanos()));
    }

    private double rate() {
      return seconds == 0 ? 0 : bytes / seconds;
    }

    /** As fields of a JSON object. */
    Map<String, Object> fields() {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("bytes", bytes);
      fields.put("seconds", seconds);
      fields.put("bytesPerSecond", rate());
      return fields;
    }
  }

  /** How old this JVM is. */
  static double secondsOfJvm() {
    return ManagementFactory.getRuntimeMXBean().getUptime() * 1e-3;
  }

  static double seconds(long nanos) {
    return nanos * 1e-9;
  }

  /** Start of the JVM to the first token, without the upload. */
  private double withoutUpload() {
    return jvm + open + load + first - upload.seconds;
  }

  /** As fields of a JSON object. */
  Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("jvmSeconds", jvm);
    fields.put("openSeconds", open);
    fields.put("loadSeconds", load);
    fields.put("firstTokenSeconds", first);
    fields.put("withoutUploadSeconds", withoutUpload());
    return fields;
  }

  /** For people. */
  String describe() {
    return String.format(
        Locale.ROOT,
        "first token %.2f s after the start without upload: JVM %.2f, backend %.2f, load %.2f,"
            + " prompt %.2f; uploaded %.3f GB in %.3f s, %.1f GB/s",
        withoutUpload(),
        jvm,
        open,
        load,
        first,
        upload.bytes * 1e-9,
        upload.seconds,
        upload.rate() * 1e-9);
  }
}
