package dev.quern.transformer;

import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Adapters in GGUF files: tensors {@code NAME.weight.lora_a} and {@code NAME.weight.lora_b}, and
 * key {@code adapter.lora.alpha}.
 */
final class GgufAdapter {
  private static final String A = ".weight.lora_a";
  private static final String B = ".weight.lora_b";

  private GgufAdapter() {}

  static Lora read(Path path, GgufMetadata model) throws IOException {
    GgufFile file = GgufFile.open(path);
    try {
      return of(file, model);
    } catch (RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  private static Lora of(GgufFile file, GgufMetadata model) {
    GgufMetadata metadata = file.metadata();
    require(file, "general.type", "adapter");
    require(file, "adapter.type", "lora");
    require(file, "general.architecture", model.requireString("general.architecture"));
    float alpha = metadata.requireFloat("adapter.lora.alpha");
    Map<String, Lora.Factors> factors = new HashMap<>();
    for (GgufTensor tensor : file.tensors()) {
      if (tensor.name().endsWith(A)) {
        String name = tensor.name().substring(0, tensor.name().length() - A.length());
        ModelSource.Weight b = weight(file.require(name + B));
        // As llama.cpp reads it, an alpha of 0 is none.
        float scale = alpha == 0 ? 1 : alpha / b.shape().last();
        factors.put(name, new Lora.Factors(weight(tensor), b, scale));
      } else if (!tensor.name().endsWith(B) || file.find(tensor.name().replace(B, A)).isEmpty()) {
        throw new ModelException(
            "%s: every tensor must end in %s or %s, in pairs, but one is %s"
                .formatted(file.name(), A, B, tensor.name()));
      }
    }
    return new Lora(file.name(), factors, file::close);
  }

  private static void require(GgufFile file, String key, String value) {
    String actual = file.metadata().requireString(key);
    if (!actual.equals(value)) {
      throw new ModelException(
          "%s: %s must be %s but is %s".formatted(file.name(), key, value, actual));
    }
  }

  private static ModelSource.Weight weight(GgufTensor tensor) {
    return new ModelSource.Weight(tensor.name(), tensor.shape(), tensor.format(), tensor.segment());
  }
}
