package dev.quern.testkit;

import dev.quern.core.op.Op;
import java.util.Map;

/**
 * What a backend has no kernel of its own for, declared where its test is checked in. For a
 * declared operation {@code supports} may answer {@code No}, and compiling or submitting it may
 * throw. Outside the matrix both are failures, not skips.
 *
 * @param unsupported reasons by operation ({@code softmax}), or by operation and stored format of
 *     one of its operands ({@code dequant-matmul:Q5_K})
 */
public record SupportMatrix(Map<String, String> unsupported) {
  public SupportMatrix {
    unsupported = Map.copyOf(unsupported);
  }

  /** Everything has a kernel. */
  public static SupportMatrix complete() {
    return new SupportMatrix(Map.of());
  }

  /** Whether {@code op} is declared as unsupported. */
  public boolean declares(Op op) {
    return unsupported.containsKey(op.name())
        || op.reads().stream()
            .anyMatch(t -> unsupported.containsKey(op.name() + ":" + t.format().name()));
  }
}
