package dev.quern.cli;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Ctrl-C: stops what is running, or ends the program if nothing is.
 *
 * <p>Java has no way to catch an interrupt but {@code sun.misc.Signal} of the module {@code
 * jdk.unsupported}, which javac warns about whatever the options; hence reflection. Where it is
 * missing, Ctrl-C ends the program.
 */
final class Interrupts implements AutoCloseable {
  /** Exit status of a program ended by an interrupt, by the custom of shells. */
  private static final int INTERRUPTED = 130;

  private final AtomicBoolean busy = new AtomicBoolean();
  private final @Nullable Object before;

  private Interrupts(Runnable cancel) {
    before = install(cancel);
  }

  static Interrupts handle(Runnable cancel) {
    return new Interrupts(cancel);
  }

  /** Whether there is something to stop. */
  void busy(boolean now) {
    busy.set(now);
  }

  private @Nullable Object install(Runnable cancel) {
    try {
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      MethodHandle interrupted =
          MethodHandles.lookup()
              .bind(this, "interrupted", MethodType.methodType(void.class, Runnable.class))
              .bindTo(cancel);
      return set(
          MethodHandleProxies.asInterfaceInstance(
              handler,
              MethodHandles.dropArguments(interrupted, 0, Class.forName("sun.misc.Signal"))));
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      return null;
    }
  }

  @SuppressWarnings("UnusedMethod") // called through a method handle
  private void interrupted(Runnable cancel) {
    if (busy.get()) {
      cancel.run();
    } else {
      Runtime.getRuntime().halt(INTERRUPTED);
    }
  }

  /** Sets the handler and answers the one before. */
  private static Object set(Object handler) throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Object interrupt = signal.getConstructor(String.class).newInstance("INT");
    return signal
        .getMethod("handle", signal, Class.forName("sun.misc.SignalHandler"))
        .invoke(null, interrupt, handler);
  }

  @Override
  public void close() {
    if (before != null) {
      try {
        set(before);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
