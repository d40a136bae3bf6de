package dev.quern.opencl.binding;

import java.io.Serial;

/** An OpenCL call failed. The message is {@code call(arguments): STATUS_NAME (number)}. */
public class OpenClException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  private final String call;
  private final int status;

  /**
   * Describes a failed call.
   *
   * @param call the C function with its arguments, as {@code clFinish(queue=0x7f…)}
   * @param status the status that it returned
   */
  public OpenClException(String call, int status) {
    this(call, status, "");
  }

  OpenClException(String call, int status, String more) {
    super(call + ": " + OpenClStatus.name(status) + " (" + status + ")" + more);
    this.call = call;
    this.status = status;
  }

  /** Returns the call with its arguments. */
  public String call() {
    return call;
  }

  /** Returns the status. */
  public int status() {
    return status;
  }
}
