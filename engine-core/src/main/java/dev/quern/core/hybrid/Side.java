package dev.quern.core.hybrid;

/** One of the two backends of a hybrid. */
public enum Side {
  FIRST,
  SECOND;

  /** The other one. */
  Side other() {
    return this == FIRST ? SECOND : FIRST;
  }
}
