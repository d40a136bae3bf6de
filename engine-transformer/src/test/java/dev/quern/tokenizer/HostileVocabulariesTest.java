package dev.quern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.gguf.GgufException;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A damaged vocabulary is refused by name or encodes what it can; it never fails otherwise. */
class HostileVocabulariesTest {
  private static final List<String> PIECES = List.of("▁", "a", "b", "ab", "▁a", "é");
  private static final List<String> RULES = List.of("a b", "ab c", "Ġ a");

  @Test
  void flippedBytesEndInAnAnswer() throws IOException {
    int encoded = 0;
    int refused = 0;
    for (GgufMetadata.Builder builder :
        List.of(
            SmallVocabularies.byteLevel("gpt-2", RULES, List.of("<|eot_id|>")),
            SmallVocabularies.sentencePiece(PIECES))) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      GgufWriter.write(out, builder.build(), List.of());
      for (int seed = 0; seed < 5_000; seed++) {
        byte[] file = out.toByteArray();
        Random random = new Random(seed);
        for (int i = 0; i < 4; i++) {
          file[random.nextInt(file.length)] = (byte) random.nextInt(256);
        }
        try {
          Tokenizer tokenizer =
              Tokenizers.from(GgufFile.of(MemorySegment.ofArray(file), "hostile").metadata());
          tokenizer.decode(tokenizer.encode("abc <tool>é<|im_end|> ab", true, true));
          encoded++;
        } catch (GgufException | TokenizerException e) {
          assertThat(e.getMessage()).isNotEmpty();
          refused++;
        }
      }
    }
    assertThat(encoded).isPositive();
    assertThat(refused).isPositive();
  }
}
