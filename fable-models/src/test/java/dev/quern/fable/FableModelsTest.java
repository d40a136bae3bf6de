package dev.quern.fable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FableModelsTest {

  @ParameterizedTest
  @MethodSource("dev.quern.fable.FableModels#all")
  void everyModelIsAGgufFileOfTheStatedLength(FableModels.Model model) throws IOException {
    try (InputStream stream = model.open()) {
      byte[] file = stream.readAllBytes();

      assertThat(new String(file, 0, 4, StandardCharsets.US_ASCII)).isEqualTo("GGUF");
      assertThat((long) file.length).isEqualTo(model.bytes());
    }
  }

  @Test
  void theDefaultIsFoundByItsName() {
    assertThat(FableModels.find("fable-7m-q4_k_m")).contains(FableModels.defaultModel());
    assertThat(FableModels.find("fable-8b")).isEmpty();
  }

  @Test
  void aModelThatIsNotPackagedIsNamed() {
    assertThatThrownBy(() -> new FableModels.Model("fable-8b", 1, "none").open())
        .isInstanceOf(FileNotFoundException.class)
        .hasMessageContaining("fable-8b")
        .hasMessageContaining("fable-7m-q4_k_m");
  }
}
