package dev.quern.opencl.binding;

import java.io.Serial;

/** A program did not build; the message ends with the compiler's log. */
public final class OpenClBuildException extends OpenClException {
  @Serial private static final long serialVersionUID = 1;

  private final String log;

  /** Describes a failed build by its call, status and the compiler's log. */
  public OpenClBuildException(String call, int status, String log) {
    super(call, status, "; the compiler says:\n" + log.strip());
    this.log = log;
  }

  /** Returns the compiler's log. */
  public String log() {
    return log;
  }
}
