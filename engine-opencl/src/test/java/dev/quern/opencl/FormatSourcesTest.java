package dev.quern.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FormatSourcesTest {
  static Iterable<WeightFormat> weights() {
    return WeightFormats.weights();
  }

  @ParameterizedTest
  @MethodSource("weights")
  void everyWeightFormatHasADecoder(WeightFormat format) {
    assertThat(FormatSources.decodes(format)).isTrue();
  }
}
