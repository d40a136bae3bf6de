package dev.quern.cpu;

import dev.quern.cpu.Memory.Place;
import dev.quern.cpu.kernel.Dot;

/** The rows of a weight matrix, or of a stack of them, for a kernel that reads some of them. */
sealed interface Rows permits Rows.Stored, Interleaved {
  /** Points a job to rows from {@code row} on of matrix {@code matrix}. */
  void point(Dot.Job job, Frame frame, int matrix, int row);

  /** What {@code explain()} says of them. */
  String explain();

  /**
   * Rows as stored.
   *
   * @param place where the weights are
   * @param matrixBytes bytes of a matrix
   * @param rowBytes bytes of a row
   */
  record Stored(Place place, long matrixBytes, long rowBytes) implements Rows {
    @Override
    public void point(Dot.Job job, Frame frame, int matrix, int row) {
      job.w = place.in(frame);
      job.wAt = place.offset() + matrix * matrixBytes + row * rowBytes;
      job.rowBytes = rowBytes;
    }

    @Override
    public String explain() {
      return "";
    }
  }
}
