package dev.quern.opencl;

import dev.quern.core.BackendException;
import java.nio.charset.StandardCharsets;

/**
 * Instructions that NVIDIA's driver has but does not offer to OpenCL C. It compiles for the target
 * {@code sm_90}, while the products of matrices of a Hopper device ({@code wgmma}) belong to {@code
 * sm_90a}. A program's binary is PTX, though, and the driver builds PTX of any target: so a source
 * puts such instructions behind a comment sign, and its binary is built again without the sign and
 * for the other target.
 *
 * @see <a href="https://docs.nvidia.com/cuda/parallel-thread-execution/">PTX</a>
 */
final class NvidiaPtx {
  /** What stands before an instruction that is to be built for {@code sm_90a}. */
  static final String MARK = "//sm_90a ";

  private static final String TARGET = ".target sm_90,";
  private static final String OTHER_TARGET = ".target sm_90a,";

  private NvidiaPtx() {}

  /**
   * The PTX with its marked instructions, for {@code sm_90a}.
   *
   * @throws BackendException if the PTX is not for {@code sm_90}: "ptx: …"
   */
  static byte[] retargeted(byte[] ptx) {
    String text = new String(ptx, StandardCharsets.ISO_8859_1);
    if (!text.contains(TARGET)) {
      int at = Math.max(0, text.indexOf(".target"));
      throw new BackendException(
          "ptx: the driver's must be for the target sm_90 but says %s; use opencl.kernels=portable"
              .formatted(text.substring(at, Math.min(text.length(), at + 20)).strip()));
    }
    return text.replace(TARGET, OTHER_TARGET)
        .replace(MARK, "")
        .getBytes(StandardCharsets.ISO_8859_1);
  }
}
