package dev.quern.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * What JMH writes beside the time of an operation: what the operation must move and compute, and
 * how far its results are from the reference. Constants, so the mean over the iterations counts.
 */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.EVENTS)
public class Metrics {
  /** Bytes that an operation must read and write. */
  public double bytes;

  /** Float32 operations, a multiply-add being two. */
  public double flops;

  /** Normalised mean square error against the reference. */
  public double error;

  /** Made by JMH. */
  public Metrics() {}

  /** Takes them over; JMH sets counters to zero before each iteration. */
  void of(Subject subject) {
    bytes = subject.cost().bytes();
    flops = subject.cost().flops();
    error = subject.error();
  }
}
