package dev.quern.opencl;

import dev.quern.core.CommandBatch;
import dev.quern.core.Slot;
import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.core.op.Add;
import dev.quern.core.op.ArgMax;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Embed;
import dev.quern.core.op.KvAppend;
import dev.quern.core.op.Mul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Projection;
import dev.quern.core.op.RmsNorm;
import dev.quern.core.op.Rope;
import dev.quern.core.op.Swish;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The operations that bring one token through a decoder, as {@code launch/decoder.cl} does them in
 * one launch: an embedding; blocks of norm, projections, rotation, cache, attention, projection and
 * residual, then norm, gated product and residual; norm and output matrix; and, where the batch
 * goes on so, the most likely token.
 *
 * @param count how many operations of the batch these are, from its first
 * @param choice the most likely token, or null if the logits are the result
 */
record DecoderOps(
    int count,
    Embed embed,
    List<Block> blocks,
    RmsNorm norm,
    Projection output,
    @Nullable ArgMax choice) {

  /** The operations of a block. */
  record Block(
      RmsNorm norm,
      Placed query,
      Placed key,
      Projection value,
      KvAppend keys,
      KvAppend values,
      Attention attention,
      Projection output,
      RmsNorm feedNorm,
      Projection gate,
      Projection up,
      Projection down) {}

  /** Queries or keys: projected, normalised head by head or not, turned. */
  record Placed(Projection product, @Nullable RmsNorm norm, Rope rope) {}

  /** The operations, or why the batch does not begin with such. */
  sealed interface Found {
    /** They are there. */
    record Yes(DecoderOps ops) implements Found {}

    /** They are not. */
    record No(String reason) implements Found {}
  }

  /** Looks at the operations of a batch. */
  static Found in(CommandBatch batch) {
    Reader reader = new Reader(batch.ops());
    try {
      DecoderOps ops = reader.read();
      reader.requireHidden(batch, ops.result());
      return new Found.Yes(ops);
    } catch (Mismatch e) {
      return new Found.No(e.reason);
    }
  }

  /** What comes out. */
  Tensor result() {
    return choice == null ? output.y() : choice.y();
  }

  private static final class Mismatch extends Exception {
    private static final long serialVersionUID = 1;

    final String reason;

    Mismatch(String reason) {
      super(reason);
      this.reason = reason;
    }
  }

  /** Reads operations in order, each from the results of those before. */
  private static final class Reader {
    private final List<Op> ops;
    private int next;

    Reader(List<Op> ops) {
      this.ops = ops;
    }

    DecoderOps read() throws Mismatch {
      Embed embed = take(Embed.class);
      if (embed.y().shape().rows() != 1) {
        throw new Mismatch(
            "a batch of %d rows is not one token".formatted(embed.y().shape().rows()));
      }
      List<Block> blocks = new ArrayList<>();
      Tensor x = embed.y();
      while (blocks.isEmpty() || !atHead()) {
        blocks.add(block(x));
        x = ((Add) ops.get(next - 1)).y();
      }
      RmsNorm norm = take(RmsNorm.class);
      require(same(norm.x(), x), norm);
      Projection output = product(norm.y());
      ArgMax choice =
          next < ops.size() && ops.get(next) instanceof ArgMax _ ? take(ArgMax.class) : null;
      if (choice != null) {
        require(same(choice.x(), output.y()), choice);
      }
      return new DecoderOps(next, embed, List.copyOf(blocks), norm, output, choice);
    }

    /** Whether the next norm is that of the head: what its product gives is not turned. */
    private boolean atHead() throws Mismatch {
      if (next + 1 >= ops.size()) {
        throw new Mismatch("the batch ends without an output matrix");
      }
      return ops.get(next + 1) instanceof Projection
          && (next + 2 == ops.size()
              || !(ops.get(next + 2) instanceof Rope || ops.get(next + 2) instanceof RmsNorm));
    }

    private Block block(Tensor x) throws Mismatch {
      RmsNorm norm = take(RmsNorm.class);
      require(same(norm.x(), x), norm);
      Placed query = placed(norm.y());
      Placed key = placed(norm.y());
      Projection value = product(norm.y());
      KvAppend keys = take(KvAppend.class);
      require(same(keys.x(), key.rope.y()), keys);
      KvAppend values = take(KvAppend.class);
      require(same(values.x(), value.y()), values);
      Attention attention = take(Attention.class);
      require(
          same(attention.q(), query.rope.y())
              && same(attention.keys(), keys.cache())
              && same(attention.values(), values.cache()),
          attention);
      Projection output = product(attention.y());
      Tensor seen = residual(x, output.y());
      RmsNorm feedNorm = take(RmsNorm.class);
      require(same(feedNorm.x(), seen), feedNorm);
      Projection gate = product(feedNorm.y());
      // Either order of these two is natural to write.
      boolean swishFirst = next < ops.size() && ops.get(next) instanceof Swish;
      Swish swish = swishFirst ? take(Swish.class) : null;
      Projection up = product(feedNorm.y());
      swish = swish == null ? take(Swish.class) : swish;
      require(same(swish.x(), gate.y()), swish);
      Mul joint = take(Mul.class);
      require(
          same(joint.a(), swish.y())
              && same(joint.b(), up.y())
              && joint.a().shape().equals(joint.b().shape()),
          joint);
      Projection down = product(joint.y());
      residual(seen, down.y());
      return new Block(
          norm, query, key, value, keys, values, attention, output, feedNorm, gate, up, down);
    }

    private Placed placed(Tensor x) throws Mismatch {
      Projection product = product(x);
      RmsNorm norm =
          next < ops.size() && ops.get(next) instanceof RmsNorm _ ? take(RmsNorm.class) : null;
      if (norm != null) {
        require(same(norm.x(), product.y()), norm);
      }
      Rope rope = take(Rope.class);
      require(same(rope.x(), norm == null ? product.y() : norm.y()), rope);
      return new Placed(product, norm, rope);
    }

    private Projection product(Tensor x) throws Mismatch {
      Projection product = take(Projection.class);
      require(same(product.x(), x), product);
      return product;
    }

    private Tensor residual(Tensor x, Tensor more) throws Mismatch {
      Add add = take(Add.class);
      require(same(add.a(), x) && same(add.b(), more), add);
      return add.y();
    }

    private <T extends Op> T take(Class<T> type) throws Mismatch {
      if (next == ops.size() || !type.isInstance(ops.get(next))) {
        throw new Mismatch(
            "operation %d must be a %s but is %s"
                .formatted(
                    next,
                    type.getSimpleName(),
                    next == ops.size() ? "missing" : ops.get(next).name()));
      }
      return type.cast(ops.get(next++));
    }

    private static void require(boolean fits, Op op) throws Mismatch {
      if (!fits) {
        throw new Mismatch(
            "%s %s does not continue what comes before".formatted(op.name(), op.reads()));
      }
    }

    private static boolean same(Tensor a, Tensor b) {
      return a.storage().equals(b.storage()) && a.offset() == b.offset() && a.bytes() == b.bytes();
    }

    /** Nobody else may see what is never written now: all results but the last. */
    void requireHidden(CommandBatch batch, Tensor result) throws Mismatch {
      Set<Storage> hidden = new HashSet<>();
      for (Op op : ops.subList(0, next)) {
        op.writes().stream()
            .map(Tensor::storage)
            .filter(Slot.Bytes.class::isInstance)
            .forEach(hidden::add);
      }
      hidden.remove(result.storage());
      for (Storage bound : batch.bound()) {
        if (hidden.contains(bound)) {
          throw new Mismatch("%s is an output of the batch".formatted(bound.name()));
        }
      }
      for (Op op : ops.subList(next, ops.size())) {
        for (Tensor read : op.reads()) {
          if (hidden.contains(read.storage())) {
            throw new Mismatch("%s reads %s".formatted(op.name(), read));
          }
        }
      }
    }
  }
}
