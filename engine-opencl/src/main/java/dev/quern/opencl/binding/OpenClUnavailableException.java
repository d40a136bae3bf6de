package dev.quern.opencl.binding;

import java.io.Serial;

/** No OpenCL library could be used; the message says which names were tried and what to install. */
public final class OpenClUnavailableException extends Exception {
  @Serial private static final long serialVersionUID = 1;

  /** Creates the exception with its message. */
  public OpenClUnavailableException(String message) {
    super(message);
  }
}
