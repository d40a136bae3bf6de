package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * An operation, as data. The constructor of each record checks formats and shapes, so an operation
 * that exists is well formed.
 *
 * <p>Dimension 0 of every activation is its rows. All activations of one operation have the same
 * rows and take their number of live rows from the same slot; dead rows are neither computed nor
 * written. No operand that is written may overlap another operand.
 *
 * <p>Operands that hold indices (tokens, positions, sequences, rows, experts) are data: whoever
 * writes them keeps them in their range. The reference throws {@link IndexOutOfBoundsException}
 * otherwise; another backend need not notice.
 *
 * <p>Accuracy is given against exact arithmetic on the stored operands, with {@code ε = 2⁻²⁴}, and
 * holds in both {@linkplain dev.quern.core.Precision precisions} where none is named. The
 * conformance suite checks it. Subnormal results may be flushed to zero.
 */
public sealed interface Op
    permits Projection,
        ExpertMatMul,
        ExpertSum,
        Swish,
        Pointwise,
        Mul,
        Add,
        Softmax,
        RmsNorm,
        Rope,
        KvAppend,
        Attention,
        Embed,
        GatherRows,
        ArgMax,
        TopK {
  /** The name of the kind of operation, for example {@code matmul}. */
  String name();

  /** The tensors read, in the order of the record's components. */
  List<Tensor> reads();

  /** The tensors written. */
  List<Tensor> writes();

  /**
   * This operation on other tensors.
   *
   * @param change what stands in for each tensor
   * @throws IllegalArgumentException if they do not fit each other
   */
  Op map(UnaryOperator<Tensor> change);
}
