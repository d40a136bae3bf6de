package dev.quern.core;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Add;
import dev.quern.core.op.ArgMax;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Embed;
import dev.quern.core.op.ExpertMatMul;
import dev.quern.core.op.ExpertSum;
import dev.quern.core.op.GatherRows;
import dev.quern.core.op.KvAppend;
import dev.quern.core.op.Mul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Pointwise;
import dev.quern.core.op.Projection;
import dev.quern.core.op.RmsNorm;
import dev.quern.core.op.Rope;
import dev.quern.core.op.Softmax;
import dev.quern.core.op.Swish;
import dev.quern.core.op.TopK;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Records operations into a {@link CommandBatch}. Shape and format errors throw here, at the
 * caller's own line. Each method that computes returns a new temporary tensor; {@link #add} records
 * an operation that writes to a tensor of the caller's choice. Not thread-safe.
 */
public final class BatchRecorder {
  private final String name;
  private final List<Op> ops = new ArrayList<>();
  private final List<Slot> slots = new ArrayList<>();
  private final Map<String, Tensor> inputs = new LinkedHashMap<>();
  private final Map<String, Tensor> outputs = new LinkedHashMap<>();

  BatchRecorder(String name) {
    this.name = name;
  }

  /** Declares a count, such as a number of live rows, that is bound at submit. */
  public Slot.Count count(String slot, int max) {
    Slot.Count count = new Slot.Count(slots.size(), slot, max);
    slots.add(count);
    return count;
  }

  /** Declares an F32 input, bound at submit, all rows live. */
  public Tensor input(String tensor, Shape shape) {
    return input(tensor, shape, WeightFormats.F32, null);
  }

  /**
   * Declares an input, bound at submit.
   *
   * @throws IllegalArgumentException if the name is taken
   */
  public Tensor input(
      String tensor, Shape shape, WeightFormat format, Slot.@Nullable Count liveRows) {
    Tensor input = fresh(tensor, shape, format, liveRows);
    border(inputs, tensor, input);
    return input;
  }

  /**
   * Declares a computed tensor as an output, bound at submit.
   *
   * @throws IllegalArgumentException if the name is taken, or {@code computed} is not the whole
   *     result of an operation of this batch
   */
  public Tensor output(String tensor, Tensor computed) {
    boolean whole =
        computed.storage() instanceof Slot.Bytes slot
            && computed.offset() == 0
            && computed.bytes() == slot.bytes()
            && inputs.values().stream().noneMatch(input -> input.storage().equals(slot));
    if (!whole) {
      throw new IllegalArgumentException(
          "%s: output %s must be the whole result of an operation of this batch but is %s"
              .formatted(name, tensor, computed));
    }
    border(outputs, tensor, computed);
    return computed;
  }

  /** Records an operation as it is. */
  public BatchRecorder add(Op op) {
    ops.add(op);
    return this;
  }

  /** {@link Projection}: the product of activations and a weight of any format. */
  public Tensor matmul(Tensor x, Tensor w) {
    Tensor y = temporary("matmul", x.shape().rows(), w.shape().rows(), x);
    add(Projection.of(x, w, y));
    return y;
  }

  /** {@link ExpertMatMul}. */
  public Tensor expertMatmul(Tensor x, Tensor w, Tensor ids) {
    Shape shape = Shape.of(x.shape().rows(), ids.shape().last(), w.shape().dim(1));
    Tensor y = temporary("expert-matmul", shape, WeightFormats.F32, x.liveRows());
    add(new ExpertMatMul(x, w, ids, y));
    return y;
  }

  /** {@link ExpertSum}. */
  public Tensor expertSum(Tensor x, Tensor weights) {
    Tensor y = temporary("expert-sum", x.shape().rows(), x.shape().last(), x);
    add(new ExpertSum(x, weights, y));
    return y;
  }

  /** {@link Swish}. */
  public Tensor swish(Tensor x) {
    Tensor y = like("swish", x);
    add(new Swish(x, y));
    return y;
  }

  /** {@link Pointwise}. */
  public Tensor pointwise(Tensor x, Pointwise.Function function) {
    Tensor y = like("pointwise", x);
    add(new Pointwise(x, function, y));
    return y;
  }

  /** {@link Mul}. */
  public Tensor mul(Tensor a, Tensor b) {
    Tensor y = like("mul", a);
    add(new Mul(a, b, y));
    return y;
  }

  /** {@link Add}. */
  public Tensor add(Tensor a, Tensor b) {
    Tensor y = like("add", a);
    add(new Add(a, b, y));
    return y;
  }

  /** {@link Softmax}. */
  public Tensor softmax(Tensor x) {
    Tensor y = like("softmax", x);
    add(new Softmax(x, y));
    return y;
  }

  /** {@link RmsNorm}. */
  public Tensor rmsNorm(Tensor x, Tensor weight, float epsilon) {
    Tensor y = like("rms-norm", x);
    add(new RmsNorm(x, weight, epsilon, y));
    return y;
  }

  /** {@link Rope}. */
  public Tensor rope(Tensor x, Tensor positions, Tensor table, Rope.Pairing pairing) {
    Tensor y = like("rope", x);
    add(new Rope(x, positions, table, pairing, y));
    return y;
  }

  /** {@link KvAppend}. */
  public void kvAppend(Tensor x, Tensor sequences, Tensor positions, Tensor cache) {
    add(new KvAppend(x, sequences, positions, cache));
  }

  /** {@link Attention} without sinks. */
  public Tensor attention(
      Tensor q,
      Tensor keys,
      Tensor values,
      Tensor sequences,
      Tensor positions,
      Attention.Rule rule) {
    Tensor y = like("attention", q);
    add(new Attention(q, keys, values, sequences, positions, rule, null, y));
    return y;
  }

  /** {@link Embed}. */
  public Tensor embed(Tensor tokens, Tensor table) {
    Tensor y = temporary("embed", tokens.shape().rows(), table.shape().last(), tokens);
    add(new Embed(tokens, table, y));
    return y;
  }

  /** {@link GatherRows}. */
  public Tensor gatherRows(Tensor x, Tensor indices) {
    Tensor y = temporary("gather-rows", indices.shape().rows(), x.shape().last(), indices);
    add(new GatherRows(x, indices, y));
    return y;
  }

  /** {@link ArgMax}. */
  public Tensor argMax(Tensor x) {
    Tensor y = temporary("arg-max", Shape.of(x.shape().rows()), WeightFormats.I32, x.liveRows());
    add(new ArgMax(x, y));
    return y;
  }

  /** {@link TopK}: the k largest of each row. */
  public Largest topK(Tensor x, int k) {
    Shape shape = Shape.of(x.shape().rows(), k);
    Tensor values = temporary("top-k.values", shape, WeightFormats.F32, x.liveRows());
    Tensor ids = temporary("top-k.ids", shape, WeightFormats.I32, x.liveRows());
    add(new TopK(x, values, ids));
    return new Largest(values, ids);
  }

  /**
   * The results of {@link #topK}.
   *
   * @param values the largest elements of each row
   * @param ids their indices
   */
  public record Largest(Tensor values, Tensor ids) {}

  /** A new temporary of this batch, for use with {@link #add}. */
  public Tensor temporary(
      String tensor, Shape shape, WeightFormat format, Slot.@Nullable Count liveRows) {
    return fresh(tensor + "." + slots.size(), shape, format, liveRows);
  }

  /** Ends the recording. */
  public CommandBatch end() {
    return new CommandBatch(name, ops, slots, inputs, outputs);
  }

  private Tensor temporary(String tensor, long rows, long columns, Tensor rowsOf) {
    return temporary(tensor, Shape.of(rows, columns), WeightFormats.F32, rowsOf.liveRows());
  }

  private Tensor like(String tensor, Tensor x) {
    return temporary(tensor, x.shape(), x.format(), x.liveRows());
  }

  private Tensor fresh(
      String tensor, Shape shape, WeightFormat format, Slot.@Nullable Count liveRows) {
    Slot.Bytes slot = new Slot.Bytes(slots.size(), tensor, format.bytes(shape.elements()));
    slots.add(slot);
    return new Tensor(tensor, slot, 0, shape, format, liveRows);
  }

  private void border(Map<String, Tensor> border, String tensor, Tensor value) {
    if (inputs.containsKey(tensor) || outputs.containsKey(tensor)) {
      throw new IllegalArgumentException(
          "%s: names of inputs and outputs must differ but %s is taken".formatted(name, tensor));
    }
    border.put(tensor, value);
  }
}
