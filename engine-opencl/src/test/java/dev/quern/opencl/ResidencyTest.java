package dev.quern.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ResidencyTest {
  private static String log(int registers) {
    return "ptxas info    : Compiling entry function 'run_batch' for 'sm_90'\n"
        + "ptxas info    : Used "
        + registers
        + " registers, used 1 barriers, 2336 bytes smem, 428 bytes cmem[0]\n";
  }

  @Test
  void registersDecide() {
    // 65,536 registers of a unit: 128 each for 256 items is half of them.
    assertThat(Residency.groupsPerUnit(log(128), 256, 1024, 48 << 10)).isEqualTo(2);
    // They are handed out in eights: 129 counts as 136.
    assertThat(Residency.groupsPerUnit(log(129), 256, 1024, 48 << 10)).isEqualTo(1);
    assertThat(Residency.groupsPerUnit(log(255), 256, 1024, 48 << 10)).isEqualTo(1);
  }

  @Test
  void itemsAndLocalMemoryDecideToo() {
    assertThat(Residency.groupsPerUnit(log(16), 256, 1024, 48 << 10)).isEqualTo(4);
    assertThat(Residency.groupsPerUnit(log(16), 256, 20 << 10, 48 << 10)).isEqualTo(2);
  }

  @Test
  void theKernelThatNeedsMostCounts() {
    assertThat(Residency.groupsPerUnit(log(16) + log(128), 256, 64, 48 << 10)).isEqualTo(2);
  }

  @Test
  void aSilentLogMeansTheOneThatMustFit() {
    assertThat(Residency.groupsPerUnit("", 256, 1024, 48 << 10)).isEqualTo(1);
  }
}
