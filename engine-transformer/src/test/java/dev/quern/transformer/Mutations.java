package dev.quern.transformer;

import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufNumbers;
import dev.quern.gguf.GgufStrings;
import dev.quern.gguf.GgufType;
import dev.quern.gguf.GgufValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** What hostile input does to what is sound. */
final class Mutations {
  private Mutations() {}

  private static final long[] EXTREMES = {
    0,
    1,
    2,
    -1,
    255,
    4096,
    65_536,
    1 << 30,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    1L << 32,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  /** Bytes flipped, set, cut out, doubled, or replaced by an extreme number. */
  static byte[] mutated(byte[] sound, Random random) {
    byte[] bytes = sound.clone();
    for (int i = random.nextInt(3); i >= 0 && bytes.length > 16; i--) {
      // what is near the start decides most
      int within = random.nextBoolean() ? bytes.length : Math.min(bytes.length, 1500);
      int at = random.nextInt(within);
      int length = Math.min(bytes.length - at, 1 + random.nextInt(16));
      switch (random.nextInt(6)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> bytes = spliced(bytes, at, at + length, new byte[0]);
        case 3 -> bytes = spliced(bytes, at, at, Arrays.copyOfRange(bytes, at, at + length));
        case 4 -> bytes = random.nextInt(4) > 0 ? bytes : Arrays.copyOf(bytes, Math.max(16, at));
        default -> {
          ByteBuffer number = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
          number.putLong(EXTREMES[random.nextInt(EXTREMES.length)]);
          int count = Math.min(random.nextBoolean() ? 8 : 4, bytes.length - at);
          System.arraycopy(number.array(), 0, bytes, at, count);
        }
      }
    }
    return bytes;
  }

  private static byte[] spliced(byte[] bytes, int from, int to, byte[] with) {
    byte[] result = new byte[bytes.length - (to - from) + with.length];
    System.arraycopy(bytes, 0, result, 0, from);
    System.arraycopy(with, 0, result, from, with.length);
    System.arraycopy(bytes, to, result, from + with.length, bytes.length - to);
    return result;
  }

  /** One to three values replaced by others of the same or of another type, or left out. */
  static GgufMetadata changed(GgufMetadata sound, Random random) {
    List<String> keys = new ArrayList<>(sound.values().keySet());
    Map<String, GgufValue> values = new LinkedHashMap<>(sound.values());
    for (int i = random.nextInt(3); i >= 0; i--) {
      String key = keys.get(random.nextInt(keys.size()));
      if (random.nextInt(8) == 0) {
        values.remove(key);
      } else if (values.get(key) != null) {
        values.put(key, other(values.get(key), random));
      }
    }
    GgufMetadata.Builder builder = GgufMetadata.builder("hostile");
    values.forEach(builder::put);
    return builder.build();
  }

  private static GgufValue other(GgufValue value, Random random) {
    if (random.nextInt(6) == 0) {
      return switch (random.nextInt(4)) {
        case 0 -> new GgufValue.Text(text(random));
        case 1 -> new GgufValue.Bool(random.nextBoolean());
        case 2 -> GgufNumbers.of(new int[] {1, -1, Integer.MAX_VALUE});
        default -> GgufStrings.of(List.of("a", "", text(random)));
      };
    }
    return switch (value) {
      case GgufValue.Whole whole ->
          new GgufValue.Whole(
              GgufType.INT64,
              random.nextBoolean()
                  ? EXTREMES[random.nextInt(EXTREMES.length)]
                  : whole.value() + random.nextInt(5) - 2);
      case GgufValue.Real _ -> {
        double[] extremes = {0, -1, 1e-40, 1e38, Double.NaN, Double.POSITIVE_INFINITY, 1e300};
        yield new GgufValue.Real(GgufType.FLOAT64, extremes[random.nextInt(extremes.length)]);
      }
      case GgufValue.Bool bool -> new GgufValue.Bool(!bool.value());
      case GgufValue.Text _ -> new GgufValue.Text(text(random));
      case GgufStrings strings -> {
        List<String> changed = new ArrayList<>(strings);
        for (int i = random.nextInt(4); i >= 0 && !changed.isEmpty(); i--) {
          int at = random.nextInt(changed.size());
          switch (random.nextInt(4)) {
            case 0 -> changed.remove(at);
            case 1 -> changed.set(at, text(random));
            case 2 -> changed.set(at, changed.get(random.nextInt(changed.size())));
            default -> changed.add(at, "");
          }
        }
        yield GgufStrings.of(changed);
      }
      case GgufNumbers numbers -> {
        int[] changed = new int[Math.max(0, numbers.size() + random.nextInt(3) - 1)];
        for (int i = 0; i < Math.min(changed.length, numbers.size()); i++) {
          changed[i] = (int) numbers.getLong(i);
        }
        if (changed.length > 0) {
          changed[random.nextInt(changed.length)] = (int) EXTREMES[random.nextInt(EXTREMES.length)];
        }
        yield GgufNumbers.of(changed);
      }
      case GgufValue.Nested nested -> nested;
    };
  }

  private static final String[] LIKELY = {
    " ",
    "  ",
    "\n",
    "\r\n",
    "▁",
    "Ġ",
    "the",
    "é",
    "'s",
    "12",
    "<tool>",
    "<s>",
    "<|im_end|>",
    "<0x41>",
    "\uFFFD",
    "🦊",
    "\u0301",
    "\0",
    "ab",
    "aaaaaaaaaaaaaaaa",
    "\uD83D",
    "héé"
  };

  /** Some characters, likely and unlikely, now and then very many. */
  static String text(Random random) {
    StringBuilder text = new StringBuilder();
    int parts = random.nextInt(50) == 0 ? 5_000 : random.nextInt(24);
    for (int i = 0; i < parts; i++) {
      if (random.nextInt(4) > 0) {
        text.append(LIKELY[random.nextInt(LIKELY.length)]);
      } else {
        text.appendCodePoint(random.nextInt(Character.MAX_CODE_POINT + 1));
      }
    }
    return text.toString();
  }
}
