package dev.quern.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.format.WeightFormats;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongToDoubleFunction;

/**
 * The comparison of one tensor after a submit.
 *
 * @param what for messages
 * @param watched the tensor
 * @param actual its bytes on the backend under test
 * @param expected its bytes on the oracle
 * @param magnitude the oracle's result with absolute values for all numbers
 */
record Check(
    String what,
    Scene.Watched watched,
    MemorySegment actual,
    MemorySegment expected,
    MemorySegment magnitude) {

  private static final int SHOWN = 5;

  /** Beside a bound for each element, a mean over fewer elements than this says nothing. */
  private static final int MEAN_OF = 32;

  private long elements() {
    return watched.tensor().shape().elements();
  }

  private double get(MemorySegment bytes, long i) {
    return Numbers.get(bytes, watched.tensor().format(), i);
  }

  private int bits(MemorySegment bytes, long i) {
    return Numbers.bits(bytes, watched.tensor().format(), i);
  }

  /** What the oracle left alone must be left alone, and the rest be written. */
  Check unwritten(boolean output, MemorySegment actualBefore, MemorySegment before) {
    for (long i = 0; i < elements(); i++) {
      int was = output ? Scene.UNTOUCHED : bits(actualBefore, i);
      int oracleWas = output ? Scene.UNTOUCHED : bits(before, i);
      boolean untouched = bits(expected, i) == oracleWas;
      if (untouched && bits(actual, i) != was) {
        throw new AssertionError(
            "%s: element %d must not be written but is %s".formatted(what, i, get(actual, i)));
      }
      if (!untouched && output && bits(actual, i) == was) {
        throw new AssertionError("%s: element %d must be written but is not".formatted(what, i));
      }
    }
    return this;
  }

  void within(Tolerance.Bound bound, Tolerance tolerance) {
    notTrivial();
    switch (bound) {
      case Tolerance.Bound.Bits bits -> elementwise(i -> -1, tolerance);
      case Tolerance.Bound.Relative b ->
          elementwise(i -> b.factor() * Math.abs(get(expected, i)) + b.floor(), tolerance);
      case Tolerance.Bound.Dot b -> {
        elementwise(i -> b.factor() * get(magnitude, i), tolerance);
        if (live() >= MEAN_OF) {
          nmse(b.nmse(), tolerance);
        }
      }
      case Tolerance.Bound.OfLargest b -> {
        double largest = largest();
        elementwise(i -> b.factor() * largest, tolerance);
        nmse(b.nmse(), tolerance);
      }
      case Tolerance.Bound.Nmse b -> nmse(b.limit(), tolerance);
    }
  }

  private void notTrivial() {
    if (watched.tensor().format().equals(WeightFormats.I32)) {
      return;
    }
    long live = 0;
    boolean same = true;
    double first = Double.NaN;
    for (long i = 0; i < elements(); i++) {
      if (bits(expected, i) != Scene.UNTOUCHED) {
        double value = get(expected, i);
        assertThat(value).as("%s: element %d of the oracle", what, i).isFinite();
        same &= live == 0 || value == first;
        first = live == 0 ? value : first;
        live++;
      }
    }
    assertThat(live == 0 || (live == 1 ? first != 0 : !same))
        .as("%s: the oracle's result must not be trivial", what)
        .isTrue();
  }

  private long live() {
    long live = 0;
    for (long i = 0; i < elements(); i++) {
      live += bits(expected, i) == Scene.UNTOUCHED ? 0 : 1;
    }
    return live;
  }

  private double largest() {
    double largest = 0;
    for (long i = 0; i < elements(); i++) {
      if (bits(expected, i) != Scene.UNTOUCHED) {
        largest = Math.max(largest, Math.abs(get(expected, i)));
      }
    }
    return largest;
  }

  private void elementwise(LongToDoubleFunction limit, Tolerance tolerance) {
    List<String> wrong = new ArrayList<>();
    int count = 0;
    for (long i = 0; i < elements(); i++) {
      if (bits(expected, i) == bits(actual, i)) {
        continue;
      }
      double error = Math.abs(get(actual, i) - get(expected, i));
      double allowed = limit.applyAsDouble(i);
      if (!(error <= allowed)) {
        if (count++ < SHOWN) {
          wrong.add(
              "[%d] is %s, not %s ± %.2g".formatted(i, get(actual, i), get(expected, i), allowed));
        }
      }
    }
    if (count > 0) {
      throw new AssertionError(
          "%s: %d of %d elements are wrong (%s): %s"
              .formatted(what, count, elements(), tolerance.reason(), wrong));
    }
  }

  private void nmse(double limit, Tolerance tolerance) {
    double errors = 0;
    double squares = 0;
    for (long i = 0; i < elements(); i++) {
      if (bits(expected, i) != Scene.UNTOUCHED) {
        double error = get(actual, i) - get(expected, i);
        errors += error * error;
        squares += get(expected, i) * get(expected, i);
      }
    }
    if (errors > 0 && !(errors / squares <= limit)) {
      throw new AssertionError(
          "%s: NMSE must be at most %.2g but is %.3g (%s)"
              .formatted(what, limit, errors / squares, tolerance.reason()));
    }
  }
}
