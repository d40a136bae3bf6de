package dev.quern.opencl.binding;

import java.io.Serial;
import java.util.Locale;

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

  /**
   * Does nothing for {@code CL_SUCCESS}.
   *
   * @throws OpenClException for any other status
   */
  public static void check(int status, String name, long... arguments) {
    if (status != OpenClStatus.SUCCESS) {
      throw new OpenClException(describe(name, arguments), status);
    }
  }

  /** Returns {@code name(arguments)}. */
  public static String describe(String name, long... arguments) {
    StringBuilder text = new StringBuilder(name).append('(');
    for (int i = 0; i < arguments.length; i++) {
      text.append(i == 0 ? "" : ", ");
      // Handles and flags read best in hexadecimal, sizes and counts in decimal.
      boolean handle = arguments[i] < 0 || arguments[i] > 1L << 40;
      text.append(
          handle
              ? "0x" + Long.toHexString(arguments[i]).toLowerCase(Locale.ROOT)
              : Long.toString(arguments[i]));
    }
    return text.append(')').toString();
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
