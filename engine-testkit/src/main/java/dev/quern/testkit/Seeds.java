package dev.quern.testkit;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Generators seeded by what they are for, so that a case sees the same numbers everywhere. */
final class Seeds {
  private Seeds() {}

  static RandomGenerator of(Object... purpose) {
    return new SplittableRandom(Arrays.toString(purpose).hashCode());
  }
}
