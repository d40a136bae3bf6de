package dev.quern.transformer;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What every block of a step reads.
 *
 * @param sequences sequence of each row
 * @param positions position of each row
 * @param adapters what is added to projections
 */
record StepTensors(Tensor sequences, Tensor positions, List<Use> adapters) {
  StepTensors {
    adapters = List.copyOf(adapters);
  }

  /** An adapter, and which rows run with it. */
  static final class Use {
    private final LoraAdapter adapter;
    private final @Nullable Tensor rows;
    private final Map<Long, Tensor> masks = new HashMap<>();

    /**
     * @param rows {@code [rows]} of 0 and 1, or null where every row runs with it
     */
    Use(LoraAdapter adapter, @Nullable Tensor rows) {
      this.adapter = adapter;
      this.rows = rows;
    }

    LoraAdapter adapter() {
      return adapter;
    }

    /** {@code x}, or zeros in the rows that run without the adapter. */
    Tensor masked(BatchRecorder b, Tensor x) {
      if (rows == null) {
        return x;
      }
      long width = x.shape().rowElements();
      Tensor mask = masks.get(width);
      if (mask == null) {
        mask = b.embed(rows, adapter.mask(width));
        masks.put(width, mask);
      }
      return b.mul(x, mask.reshape(x.shape()));
    }
  }
}
