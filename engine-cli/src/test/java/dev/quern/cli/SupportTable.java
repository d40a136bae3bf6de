package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.core.BatchRecorder;
import dev.quern.core.CommandBatch;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Support;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Op;
import dev.quern.core.op.Pointwise;
import dev.quern.core.op.Rope;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a backend answers to {@link Backend#supports} for every operation and format. */
final class SupportTable implements AutoCloseable {
  private static final int WIDTH = 512;
  private static final int ROWS = 33;

  private final Backend backend;
  private final Arena arena = Arena.ofShared();

  /** An operation and the format of what it reads or writes. */
  record Key(String operation, String format) {}

  /** Records operations of one kind. */
  private interface Recording {
    void into(BatchRecorder b);
  }

  SupportTable(Backend backend) {
    this.backend = backend;
  }

  /** {@code yes}, or why there is no kernel. */
  Map<Key, String> answers(Precision precision) {
    Map<Key, String> answers = new LinkedHashMap<>();
    for (WeightFormat format : WeightFormats.weights()) {
      answer(
          answers,
          precision,
          "matmul",
          format,
          b -> {
            for (int rows : new int[] {1, 2, ROWS}) {
              b.matmul(x(b, rows), weight(format, 64, WIDTH));
            }
          });
    }
    for (WeightFormat format : WeightFormats.weights()) {
      answer(
          answers,
          precision,
          "expert-matmul",
          format,
          b -> {
            for (int rows : new int[] {1, ROWS}) {
              b.expertMatmul(x(b, rows), weight(format, 4, 64, WIDTH), ids(b, rows, 2));
            }
          });
    }
    for (WeightFormat format : WeightFormats.weights()) {
      answer(
          answers,
          precision,
          "embed",
          format,
          b -> b.embed(ids(b, ROWS), weight(format, 64, WIDTH)));
    }
    for (WeightFormat format : List.of(WeightFormats.F32, WeightFormats.F16)) {
      answer(answers, precision, "kv-append", format, b -> attention(b, format, false));
      answer(answers, precision, "attention", format, b -> attention(b, format, true));
    }
    rowwise(answers, precision);
    return answers;
  }

  private void rowwise(Map<Key, String> answers, Precision precision) {
    Map<String, Recording> recordings = new LinkedHashMap<>();
    recordings.put("add", b -> b.add(x(b, ROWS), x(b, ROWS)));
    recordings.put("mul", b -> b.mul(x(b, ROWS), x(b, ROWS)));
    recordings.put("swish", b -> b.swish(x(b, ROWS)));
    recordings.put("pointwise gelu", b -> b.pointwise(x(b, ROWS), new Pointwise.Function.Gelu()));
    recordings.put(
        "pointwise soft-cap", b -> b.pointwise(x(b, ROWS), new Pointwise.Function.SoftCap(30)));
    recordings.put(
        "pointwise clamp", b -> b.pointwise(x(b, ROWS), new Pointwise.Function.Clamp(-7, 7)));
    recordings.put("softmax", b -> b.softmax(x(b, ROWS)));
    recordings.put("rms-norm", b -> b.rmsNorm(x(b, ROWS), weight(WeightFormats.F32, WIDTH), 1e-5f));
    for (Rope.Pairing pairing : Rope.Pairing.values()) {
      recordings.put(
          "rope " + pairing.toString().toLowerCase(Locale.ROOT),
          b ->
              b.rope(
                  input(b, WeightFormats.F32, ROWS, 4, 64),
                  ids(b, ROWS),
                  weight(WeightFormats.F32, 128, 32, 2),
                  pairing));
    }
    recordings.put("gather-rows", b -> b.gatherRows(x(b, ROWS), ids(b, 3)));
    recordings.put("arg-max", b -> b.argMax(x(b, ROWS)));
    recordings.put("top-k", b -> b.topK(x(b, ROWS), 8));
    recordings.put(
        "expert-sum",
        b ->
            b.expertSum(
                input(b, WeightFormats.F32, ROWS, 2, WIDTH), input(b, WeightFormats.F32, ROWS, 2)));
    recordings.forEach(
        (name, recording) -> answer(answers, precision, name, WeightFormats.F32, recording));
  }

  private void attention(BatchRecorder b, WeightFormat format, boolean read) {
    Tensor keys = cache(format, "keys");
    Tensor sequences = ids(b, ROWS);
    Tensor positions = ids(b, ROWS);
    if (!read) {
      b.kvAppend(input(b, WeightFormats.F32, ROWS, 2, 64), sequences, positions, keys);
      return;
    }
    Tensor q = input(b, WeightFormats.F32, ROWS, 4, 64);
    Tensor values = cache(format, "values");
    Attention.Rule rule = new Attention.Rule(0.125f, 0, 0);
    b.attention(q, keys, values, sequences, positions, rule);
    Tensor y = b.temporary("y", q.shape(), q.format(), null);
    Tensor sinks = weight(WeightFormats.F32, 4);
    Attention.Rule all = new Attention.Rule(0.125f, 16, 50);
    b.add(new Attention(q, keys, values, sequences, positions, all, sinks, y));
  }

  private void answer(
      Map<Key, String> answers,
      Precision precision,
      String name,
      WeightFormat format,
      Recording recording) {
    BatchRecorder recorder = CommandBatch.record(name);
    recording.into(recorder);
    String answer = "yes";
    for (Op op : recorder.end().ops()) {
      switch (backend.supports(op, precision)) {
        case Support.Yes _ -> {}
        case Support.No(String reason) -> answer = "no: " + reason;
      }
    }
    answers.put(new Key(name, format.name()), answer);
  }

  private Tensor x(BatchRecorder b, int rows) {
    return input(b, WeightFormats.F32, rows, WIDTH);
  }

  private Tensor ids(BatchRecorder b, long... shape) {
    return input(b, WeightFormats.I32, shape);
  }

  private static Tensor input(BatchRecorder b, WeightFormat format, long... shape) {
    return b.temporary("x", Shape.of(shape), format, null);
  }

  private Tensor weight(WeightFormat format, long... extents) {
    Shape shape = Shape.of(extents);
    return backend.adopt("w", format, shape, arena.allocate(format.bytes(shape.elements()), 64));
  }

  private Tensor cache(WeightFormat format, String name) {
    Shape shape = Shape.of(2, 128, 2, 64);
    return Tensor.of(name, backend.allocate(name, format.bytes(shape.elements())), shape, format);
  }

  /** One line for each key: the answers of each column, side by side. */
  static List<String> lines(Map<String, Map<Key, String>> columns) {
    List<String> lines = new ArrayList<>();
    lines.add("| operation | format | " + String.join(" | ", columns.keySet()) + " |");
    lines.add("|---|---|" + "---|".repeat(columns.size()));
    for (Key key : columns.values().iterator().next().keySet()) {
      List<String> cells = new ArrayList<>();
      columns.values().forEach(answers -> cells.add(answers.get(key)));
      lines.add("| %s | %s | %s |".formatted(key.operation, key.format, String.join(" | ", cells)));
    }
    return lines;
  }

  @Override
  public void close() {
    backend.close();
    arena.close();
  }
}
