package dev.quern.cpu;

import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import java.util.List;

/** A piece of work of a batch, shared out among the workers in units that may run in any order. */
interface Step {
  /** The bytes it reads and writes. */
  Access access();

  /** How many units it has in this submit. */
  int units(Frame frame);

  /** Runs one unit. */
  void run(Frame frame, Worker worker, int unit);

  /** Scratch bytes that a worker needs to run a unit. */
  long scratchBytes();

  /** Activation rows for which a worker needs sums. */
  default int tokens() {
    return 0;
  }

  /** Makes room in a worker for what it needs besides; no step may be running. */
  default void reserve(Worker worker) {}

  /** Bytes of weights read, however many rows there are. */
  long weightBytes();

  /** The operations it does; none if it prepares something for other steps. */
  List<Op> ops();

  /** What it is, for people to read. */
  String explain();
}
