package dev.quern.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BackendsTest {
  @Test
  void theReferenceIsAlwaysThere() {
    assertThat(Backends.list())
        .anySatisfy(found -> {
          assertThat(found.provider().name()).isEqualTo("reference");
          assertThat(found.probe())
              .isInstanceOfSatisfying(
                  Probe.Usable.class,
                  usable -> {
                    assertThat(usable.rank()).isEqualTo(Probe.REFERENCE);
                    assertThat(usable.devices()).hasSize(1);
                  });
        });
    try (Backend backend = Backends.open("reference")) {
      assertThat(backend.name()).isEqualTo("reference");
    }
    try (Backend backend = Backends.best()) {
      assertThat(backend.statistics().submits()).isZero();
    }
  }

  @Test
  void anUnknownNameIsRefusedWithTheKnownOnes() {
    assertThatThrownBy(() -> Backends.open("abacus"))
        .isInstanceOf(BackendException.class)
        .hasMessageContaining("reference")
        .hasMessageContaining("but is abacus");
    assertThatThrownBy(() -> Backends.open("reference:7"))
        .isInstanceOf(BackendException.class)
        .hasMessageContaining("7");
  }

  @Test
  void optionsAreChecked() {
    assertThatThrownBy(() -> OpenOptions.defaults().withThreads(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
  }
}
