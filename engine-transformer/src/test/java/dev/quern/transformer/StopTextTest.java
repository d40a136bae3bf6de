package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopTextTest {
  @Test
  void textWithoutStopsPassesAtOnce() {
    StopText stop = new StopText(List.of());
    assertThat(stop.accept("abc")).isEqualTo("abc");
    assertThat(stop.rest()).isEmpty();
  }

  @Test
  void aStopSplitOverPiecesIsFound() {
    StopText stop = new StopText(List.of("END"));
    assertThat(stop.accept("the E")).isEqualTo("the ");
    assertThat(stop.accept("N")).isEmpty();
    assertThat(stop.found()).isFalse();
    assertThat(stop.accept("D of it")).isEmpty();
    assertThat(stop.found()).isTrue();
  }

  @Test
  void aFalseBeginningIsLetOut() {
    StopText stop = new StopText(List.of("END"));
    assertThat(stop.accept("E")).isEmpty();
    assertThat(stop.accept("NEN")).isEqualTo("EN");
    assertThat(stop.accept("d")).isEqualTo("ENd");
    assertThat(stop.found()).isFalse();
  }

  @Test
  void theFirstOfSeveralStopsCuts() {
    StopText stop = new StopText(List.of("later", "now"));
    assertThat(stop.accept("not now, later")).isEqualTo("not ");
    assertThat(stop.accept("more")).isEmpty();
  }
}
