package dev.quern.opencl;

import dev.quern.core.format.WeightFormat;
import dev.quern.kernels.cl.KernelSources;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Puts programs together from the sources of {@code kernels-cl}. */
final class ProgramText {
  private static final int SCRATCH_UNIT = 16;

  /** What a library needs; the driver's own include would look for files. */
  private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"([^\"]+)\"$");

  private ProgramText() {}

  /**
   * A program with the kernel {@code run_step} for some bodies with work-groups of one size.
   *
   * @param all in which a body's place is its number
   */
  static String step(List<Body> bodies, List<Body> all, Geometry geometry) {
    StringBuilder text = start(bodies, geometry, bodies.getFirst().group(geometry));
    if (bodies.size() == 1) {
      define(text, "RUN_STEP", call(bodies.getFirst()));
    } else {
      runStep(text, bodies, all);
    }
    return text.append(KernelSources.text("launch/step.cl")).toString();
  }

  /** A program with the kernel {@code run_batch}; a body's number is its place in the list. */
  static String persistent(List<Body> bodies, Geometry geometry) {
    StringBuilder text = start(bodies, geometry, geometry.group());
    runStep(text, bodies, bodies);
    return text.append(KernelSources.text("launch/persistent.cl")).toString();
  }

  private static void runStep(StringBuilder text, List<Body> bodies, List<Body> all) {
    text.append("#define RUN_STEP switch (step[0]) { \\\n");
    for (Body body : bodies) {
      text.append("    case %d: %s break; \\\n".formatted(all.indexOf(body), call(body)));
    }
    text.append("  }\n");
  }

  private static String call(Body body) {
    return body.name() + "(memory, step, group, groups, scratch);";
  }

  /** A program with the kernel {@code regroup} that makes tiles of a format. */
  static String regroup(WeightFormat format) {
    StringBuilder text = new StringBuilder(withLibrary(Tiles.source(format)));
    String name = FormatSources.lower(format);
    define(text, "REGROUP", name + "_regroup");
    define(text, "CHUNK_BYTES", name + "_CHUNK_BYTES");
    return text.append(KernelSources.text("launch/regroup.cl")).toString();
  }

  /** A program with the kernel {@code decode} for one token. */
  static String decoder(DecoderShape shape) {
    StringBuilder text = new StringBuilder();
    shape.macros().forEach((name, value) -> define(text, name, value));
    Set<String> libraries = new LinkedHashSet<>();
    shape.formats().forEach(format -> library(text, Tiles.source(format), libraries));
    library(text, Tiles.source(shape.ops().embed().table().format()), libraries);
    library(text, "launch/decoder.cl", libraries);
    return text.toString();
  }

  /** A library after those that it includes. */
  static String withLibrary(String name) {
    StringBuilder text = new StringBuilder();
    library(text, name, new LinkedHashSet<>());
    return text.toString();
  }

  /** Bytes of local memory of a program with these bodies. */
  static int scratchBytes(List<Body> bodies) {
    int most = bodies.stream().mapToInt(Body::scratchBytes).max().orElse(0);
    return Math.max(1, (most + SCRATCH_UNIT - 1) / SCRATCH_UNIT) * SCRATCH_UNIT;
  }

  private static StringBuilder start(List<Body> bodies, Geometry geometry, int group) {
    StringBuilder text = new StringBuilder();
    define(text, "GROUP", group);
    define(text, "SCRATCH", scratchBytes(bodies) / SCRATCH_UNIT);
    define(text, "HEADER", StepEncoder.HEADER_WORDS);
    define(text, "STEP_WORDS", StepEncoder.STEP_WORDS);
    arenas(text, geometry.arenas());
    text.append(KernelSources.text("lib/common.clh"));
    Set<String> libraries = new LinkedHashSet<>();
    for (Body body : bodies) {
      body.libraries().forEach(library -> library(text, library, libraries));
    }
    bodies.forEach(body -> append(text, body));
    return text;
  }

  /** Every arena is a parameter of its own: a buffer cannot hold pointers. */
  private static void arenas(StringBuilder text, int count) {
    define(text, "FIRST_SLOT", DeviceMemory.MOST_ARENAS);
    define(text, "ARENA_PARAMETERS", each(0, count, "global uchar *a%1$d", ", "));
    define(text, "ARENA_FIELDS", each(0, count, "*a%1$d", ", "));
    define(text, "ARENA_VALUES", each(0, count, "a%1$d", ", "));
    define(text, "ARENA_CASES", each(1, count, "case %1$d: return memory.a%1$d;", " "));
  }

  private static String each(int first, int end, String pattern, String between) {
    return IntStream.range(first, end)
        .mapToObj(pattern::formatted)
        .collect(Collectors.joining(between));
  }

  /** Appends a library once, after those that it includes. */
  private static void library(StringBuilder text, String name, Set<String> done) {
    if (!done.add(name)) {
      return;
    }
    String source = KernelSources.text(name);
    Matcher include = INCLUDE.matcher(source);
    while (include.find()) {
      library(text, include.group(1), done);
    }
    text.append(include.replaceAll(""));
  }

  private static void append(StringBuilder text, Body body) {
    text.append("#define BODY ").append(body.name()).append('\n');
    body.macros().forEach((name, value) -> define(text, name, value));
    text.append(KernelSources.text(body.source()));
    body.macros().keySet().forEach(name -> undefine(text, name));
    undefine(text, "BODY");
  }

  private static void define(StringBuilder text, String name, Object value) {
    text.append("#define ").append(name).append(' ').append(value).append('\n');
  }

  private static void undefine(StringBuilder text, String name) {
    int arguments = name.indexOf('(');
    String bare = arguments < 0 ? name : name.substring(0, arguments);
    text.append("#undef ").append(bare).append('\n');
  }
}
