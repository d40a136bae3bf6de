package dev.quern.core;

import dev.quern.core.plan.MemoryPlan;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A device has no room for what is asked of it. The message says what would help. */
public class InsufficientMemoryException extends BackendException {
  private static final long serialVersionUID = 1L;

  private final transient @Nullable MemoryPlan plan;

  public InsufficientMemoryException(String message) {
    super(message);
    plan = null;
  }

  public InsufficientMemoryException(String message, Throwable cause) {
    super(message, cause);
    plan = null;
  }

  /** Work that was refused as a whole, before any of it was done. */
  public InsufficientMemoryException(String message, MemoryPlan plan, Throwable cause) {
    super(message, cause);
    this.plan = plan;
  }

  /** What all of the work would take, where it was refused as a whole. */
  public Optional<MemoryPlan> plan() {
    return Optional.ofNullable(plan);
  }
}
