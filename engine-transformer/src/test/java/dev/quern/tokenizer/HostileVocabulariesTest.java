package dev.quern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.gguf.GgufException;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufNumbers;
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

  /** A trie whose root has 0x61 as its child, replaced by 0x62. */
  private static final int[] MAP = map();

  private static int[] map() {
    int[] bytes = new int[4 + 4 * 0x62 + 2];
    bytes[0] = (4 * 0x62) & 0xFF;
    bytes[1] = (4 * 0x62) >> 8;
    bytes[4 + 4 * 0x61] = 0x61; // a node labelled so,
    bytes[4 + 4 * 0x61 + 1] = 1 | 4; // at which a replacement ends, its place at distance 1:
    bytes[4 + 4 * 0x60 + 3] = 0x80; // number 0
    bytes[4 + 4 * 0x62] = 'b';
    return bytes;
  }

  @Test
  void theMapIsOne() {
    assertThat(
            Tokenizers.from(
                    SmallVocabularies.unigram(PIECES)
                        .put("tokenizer.ggml.precompiled_charsmap", GgufNumbers.of(MAP))
                        .build())
                .encode("a", false, false))
        .containsExactly(260, 262);
  }

  @Test
  void flippedBytesEndInAnAnswer() throws IOException {
    int encoded = 0;
    int refused = 0;
    for (GgufMetadata.Builder builder :
        List.of(
            SmallVocabularies.byteLevel("gpt-2", RULES, List.of("<|eot_id|>")),
            SmallVocabularies.sentencePiece(PIECES),
            SmallVocabularies.unigram(PIECES)
                .put("tokenizer.ggml.precompiled_charsmap", GgufNumbers.of(MAP)))) {
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
