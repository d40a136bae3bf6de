package dev.quern.testkit;

import dev.quern.core.Precision;
import dev.quern.core.format.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.random.RandomGenerator;

/** What a tensor holds before a submit. */
@FunctionalInterface
interface Content {
  /** One in so many numbers is an outlier. */
  int OUTLIER_EVERY = 61;

  /**
   * Element {@code index}.
   *
   * @param submit number of the submit, from 0
   * @param random seeded by case, tensor and submit; called once an element, in order
   */
  double at(int index, int submit, RandomGenerator random);

  /**
   * Activations: normal with outliers 20 times as large for exact arithmetic; uniform in [-1, 1]
   * with outliers twice as large where int8 may round, because one large number takes the range of
   * its whole block.
   */
  static Content activations(Precision precision) {
    return precision == Precision.EXACT ? outliers() : scaled(1, 2);
  }

  /** Normal numbers with outliers 20 times as large. */
  static Content outliers() {
    return (i, submit, random) -> {
      double value = random.nextGaussian();
      return random.nextInt(OUTLIER_EVERY) == 0 ? 20 * value : value;
    };
  }

  /** Uniform in [-scale, scale], with some that are {@code outlier} times as large. */
  static Content scaled(double scale, double outlier) {
    return (i, submit, random) -> {
      double value = scale * (2 * random.nextDouble() - 1);
      return random.nextInt(OUTLIER_EVERY) == 0 ? outlier * value : value;
    };
  }

  /** Uniform in [from, to). */
  static Content between(double from, double to) {
    return (i, submit, random) -> random.nextDouble(from, to);
  }

  /** The same numbers in every submit. */
  static Content of(int... values) {
    return (i, submit, random) -> values[i % values.length];
  }

  /** Fills a tensor of a format in which one element is one number. */
  static void fill(
      MemorySegment target, WeightFormat format, Content content, int submit, RandomGenerator r) {
    long elements = target.byteSize() / format.blockBytes();
    for (int i = 0; i < elements; i++) {
      Numbers.set(target, format, i, content.at(i, submit, r));
    }
  }
}
