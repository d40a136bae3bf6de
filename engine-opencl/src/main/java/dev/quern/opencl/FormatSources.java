package dev.quern.opencl;

import dev.quern.core.format.WeightFormat;
import dev.quern.kernels.cl.KernelSources;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/** The sources of weight formats, found by the format's name: no format is listed here. */
final class FormatSources {
  private FormatSources() {}

  /** The name of a format in sources, such as {@code q4_k}. */
  static String lower(WeightFormat format) {
    return format.name().toLowerCase(Locale.ROOT);
  }

  /** Whether there is a decoder to float32. */
  static boolean decodes(WeightFormat format) {
    return KernelSources.find(decoderSource(format)).isPresent();
  }

  /** Whether there is a way to see the format as int8. */
  static boolean isInt8(WeightFormat format) {
    return KernelSources.find(int8Source(format)).isPresent();
  }

  static Offer noDecoder(WeightFormat format) {
    return new Offer.Refused(
        "there is no OpenCL decoder of %s (%s)".formatted(format.name(), decoderSource(format)));
  }

  static String decoderSource(WeightFormat format) {
    return "format/" + lower(format) + ".clh";
  }

  static String int8Source(WeightFormat format) {
    return "int8/" + lower(format) + ".clh";
  }

  static String fragmentSource(WeightFormat format) {
    return "fragment/" + lower(format) + ".clh";
  }

  /** The macros of a body that decodes this format. */
  static SortedMap<String, String> decoder(WeightFormat format) {
    SortedMap<String, String> macros = new TreeMap<>();
    macros.put("DECODE16", lower(format) + "_decode16");
    if (format.blockElements() == 1) {
      macros.put("DECODE1", lower(format) + "_decode1");
    }
    return macros;
  }

  /** The sources that such a body needs, and more. */
  static List<String> libraries(WeightFormat format, String... more) {
    return with(decoderSource(format), more);
  }

  /** The sources that a body needs that sees this format as int8, and more. */
  static List<String> int8Libraries(WeightFormat format, String... more) {
    return with(int8Source(format), more);
  }

  private static List<String> with(String source, String... more) {
    List<String> libraries = new ArrayList<>(List.of(more));
    libraries.add(source);
    return List.copyOf(libraries);
  }
}
