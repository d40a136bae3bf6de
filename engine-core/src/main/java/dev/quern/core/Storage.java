package dev.quern.core;

/** Where the bytes of a tensor are: in a persistent buffer, or in what a slot will be bound to. */
public sealed interface Storage permits Buffer, Slot.Bytes {
  /** The name used in messages. */
  String name();

  /** The size in bytes. */
  long bytes();
}
