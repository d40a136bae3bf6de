package dev.quern.opencl.binding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OpenClLibraryTest {
  @Test
  void everySystemHasItsName() {
    assertThat(OpenClLibrary.names("Linux")).containsExactly("libOpenCL.so.1", "libOpenCL.so");
    assertThat(OpenClLibrary.names("Windows 11")).containsExactly("OpenCL.dll");
    assertThat(OpenClLibrary.names("Mac OS X").getFirst()).endsWith("OpenCL.framework/OpenCL");
    // "Darwin" contains "win".
    assertThat(OpenClLibrary.names("Darwin")).isEqualTo(OpenClLibrary.names("Mac OS X"));
  }

  @Test
  void aMissingLibraryIsNamedWithItsRemedy() {
    assertThatThrownBy(() -> OpenClLibrary.open(List.of("libNoSuchThing.so.7")))
        .isInstanceOf(OpenClUnavailableException.class)
        .hasMessageContaining("libNoSuchThing.so.7")
        .hasMessageContaining("apt-get install");
  }

  @Test
  void aLibraryWithoutOpenClIsNotTakenForOne() {
    assertThatThrownBy(() -> Symbols.link(name -> Optional.empty()))
        .isInstanceOf(OpenClUnavailableException.class)
        .hasMessageContaining("clGetPlatformIDs");
  }
}
