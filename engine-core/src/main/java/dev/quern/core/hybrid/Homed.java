package dev.quern.core.hybrid;

import dev.quern.core.Buffer;
import java.util.Optional;
import java.util.stream.Stream;

/** A buffer of a hybrid: a name for what its two backends hold of it. */
abstract sealed class Homed implements Buffer permits HybridMemory, HybridWeights {
  final HybridBackend backend;
  private final String name;
  private final Optional<Side> home;
  private boolean closed;

  Homed(HybridBackend backend, String name, Optional<Side> home) {
    this.backend = backend;
    this.name = name;
    this.home = home;
  }

  /** Where it lives, if it lives somewhere. */
  final Optional<Side> home() {
    return home;
  }

  @Override
  public final String name() {
    return name;
  }

  /** What the two backends hold of it now. */
  abstract Stream<Buffer> copies();

  /** The caller holds the lock of the backend, as for all that asks this. */
  final void requireOpen() {
    if (closed || backend.isClosed()) {
      throw new IllegalStateException(
          "buffer %s: must be open to be used but is closed".formatted(name));
    }
  }

  @Override
  public final void close() {
    synchronized (backend) {
      if (!closed) {
        closed = true;
        if (!backend.isClosed()) {
          copies().forEach(Buffer::close);
        }
        backend.gone(this);
      }
    }
  }
}
