package dev.quern.testkit;

import java.util.List;

/** Several operations in one batch. */
final class BatchCases {
  private BatchCases() {}

  static List<Case> all() {
    return List.of();
  }
}
