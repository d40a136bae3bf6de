package dev.quern.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a byte-level BPE cuts a text into words before it merges. {@code tokenizer.ggml.pre} names
 * it; the patterns are those of the models' published {@code tokenizer.json}.
 *
 * @param splits each cuts what the ones before left into its matches and what lies between them
 * @param wholeWords a word that is in the vocabulary is that token, whatever the merges say
 * @param addBos texts begin with the begin-of-sequence token where the file does not say
 */
record PreTokenizer(List<Pattern> splits, boolean wholeWords, boolean addBos) {
  private static final String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

  /** The pattern of GPT-4's tokenizer, with so many digits to a word at most. */
  private static final String GPT4 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,%d}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static final Map<String, PreTokenizer> ALL = table();

  private static Map<String, PreTokenizer> table() {
    Map<String, PreTokenizer> table = new TreeMap<>();
    PreTokenizer llama3 = split(GPT4.formatted(3)).withWholeWords().withBos();
    table.put("gpt-2", split(GPT2));
    table.put("llama-bpe", llama3);
    table.put("llama3", llama3);
    table.put("llama-v3", llama3);
    table.put("qwen2", split(GPT4.formatted(1)));
    return table;
  }

  /** The pre-tokenizer that a file names. */
  static Optional<PreTokenizer> find(String name) {
    return Optional.ofNullable(ALL.get(name));
  }

  /** The names that {@link #find} knows. */
  static String names() {
    return String.join(", ", new TreeSet<>(ALL.keySet()));
  }

  /** The words of {@code text}, in order and without gaps. */
  List<String> words(String text) {
    List<String> words = List.of(text);
    for (Pattern split : splits) {
      List<String> parts = new ArrayList<>();
      for (String word : words) {
        split(split, word, parts);
      }
      words = parts;
    }
    return words;
  }

  private static void split(Pattern pattern, String text, List<String> parts) {
    Matcher matcher = pattern.matcher(text);
    int end = 0;
    while (matcher.find()) {
      if (matcher.start() > end) {
        parts.add(text.substring(end, matcher.start()));
      }
      if (matcher.end() > matcher.start()) {
        parts.add(matcher.group());
      }
      end = matcher.end();
    }
    if (end < text.length()) {
      parts.add(text.substring(end));
    }
  }

  private static PreTokenizer split(String... patterns) {
    return new PreTokenizer(
        Arrays.stream(patterns)
            // \s is Unicode's white space in the definitions
            .map(pattern -> Pattern.compile(pattern, Pattern.UNICODE_CHARACTER_CLASS))
            .toList(),
        false,
        false);
  }

  private PreTokenizer withWholeWords() {
    return new PreTokenizer(splits, true, addBos);
  }

  private PreTokenizer withBos() {
    return new PreTokenizer(splits, wholeWords, true);
  }
}
