package dev.quern.kernels.cl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class KernelSourcesTest {
  @Test
  void handsOutSources() {
    assertThat(KernelSources.text("lib/common.clh")).contains("#define group_barrier()");
    assertThat(KernelSources.find("op/matmul.clh")).isPresent();
  }

  @Test
  void aMissingSourceIsNamed() {
    assertThat(KernelSources.find("op/nothing.clh")).isEmpty();
    assertThatThrownBy(() -> KernelSources.text("op/nothing.clh"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("op/nothing.clh");
  }
}
