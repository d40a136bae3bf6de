package dev.quern.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a byte-level BPE cuts a text into words before it merges. {@code tokenizer.ggml.pre} names
 * it; the patterns are those of the models' published {@code tokenizer.json}, and {@code default}
 * is what llama.cpp calls so.
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

  /** As {@link #GPT4}, but marks belong to the letters before them. */
  private static final String QWEN35 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}"
          + "| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

  /** Words break before capitals; the blanks are an English ending and the digits of a word. */
  private static final String CASED =
      ("[^\\r\\n\\p{L}\\p{N}]?UPPER*LOWER+%1$s|[^\\r\\n\\p{L}\\p{N}]?UPPER+LOWER*%1$s|%2$s"
              + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+")
          .replace("UPPER", UPPER)
          .replace("LOWER", LOWER);

  private static final String ENDING = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";
  private static final String HAN_AND_HANGUL = "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]+";

  /** The letters that DeepSeek LLM lists: those with case, as its authors' Unicode had them. */
  private static final String DEEPSEEK_LETTERS =
      letters(
          """
          41-5A 61-7A B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376 377
          37B-37D 37F 386 388-38A 38C 38E-3A1 3A3-3F5 3F7-481 48A-52F 531-556
          10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF 1D00-1D2B 1D6B-1D77
          1D79-1D9A 1E00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D
          1F5F-1F7D 1F80-1FB4 1FB6-1FBC 1FBE 1FC2-1FC4 1FC6-1FCC 1FD0-1FD3 1FD6-1FDB
          1FE0-1FEC 1FF2-1FF4 1FF6-1FFC 2102 2107 210A-2113 2115 2119-211D 2124 2126
          2128 212A-212D 212F-2134 2139 213C-213F 2145-2149 214E 2183-2184 2C00-2C7B
          2C7E-2CE4 2CEB-2CEE 2CF2-2CF3 A640-A66D A680-A69B A722-A76F A771-A787
          A78B-A78E AB70-ABBF FB00-FB06 FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F
          104B0-104D3 104D8-104FB 10C80-10CB2 10CC0-10CF2 118A0-118DF 1E900-1E943
          """);

  private static final Map<String, Row> ALL = table();

  private static Map<String, Row> table() {
    Row gpt2 = split(GPT2);
    Row gpt4 = split(GPT4.formatted(3));
    Row llama3 = gpt4.withWholeWords().withBos();
    Row qwen2 = split(GPT4.formatted(1));
    Row digitsThenGpt2 = split("\\p{N}", GPT2);
    Map<String, Row> table = new TreeMap<>();
    table.put("command-r", digitsThenGpt2);
    table.put(
        "deepseek-coder",
        split("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", HAN_AND_HANGUL, "\\p{N}"));
    table.put(
        "deepseek-llm",
        split(
            "[\\r\\n]",
            DEEPSEEK_LETTERS,
            "\\s?[!-/:-~\\uFF01-\\uFF0F\\uFF1A-\\uFF5E\\u2018-\\u201F\\u3000-\\u3002]+",
            "\\s+\\z",
            HAN_AND_HANGUL,
            "\\p{N}"));
    table.put("dbrx", gpt4); // also of OLMo 2 and Phi 4
    table.put("deepseek-r1-qwen", qwen2);
    table.put("default", split("[\\p{P}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"));
    table.put("falcon", split("[\\p{P}$+<=>^~|`]+", GPT2, "[0-9][0-9][0-9]"));
    table.put("falcon3", llama3);
    table.put("gpt-2", gpt2);
    table.put("gpt-4o", split(CASED.formatted(ENDING, "\\p{N}{1,3}")));
    table.put("llama-bpe", llama3);
    table.put("llama-v3", llama3);
    table.put("llama3", llama3);
    table.put("mpt", gpt2);
    table.put("olmo", gpt2);
    table.put("pixtral", llama3);
    table.put("qwen2", qwen2);
    table.put("qwen35", split(QWEN35));
    table.put("refact", digitsThenGpt2);
    table.put("smaug-bpe", gpt4.withWholeWords()); // also of SmolLM 3
    table.put("smollm", digitsThenGpt2);
    table.put("starcoder", digitsThenGpt2);
    table.put("tekken", split(CASED.formatted("", "\\p{N}")).withWholeWords().withBos());
    return table;
  }

  /** The pre-tokenizer that a file names. */
  static Optional<PreTokenizer> find(String name) {
    return Optional.ofNullable(ALL.get(name)).map(Row::compile);
  }

  /** The names that {@link #find} knows. */
  static String names() {
    return String.join(", ", ALL.keySet());
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

  private static Row split(String... patterns) {
    return new Row(List.of(patterns), false, false);
  }

  /** A word of one kind of letters, perhaps after white space, from ranges in hexadecimal. */
  private static String letters(String ranges) {
    String escaped = ranges.replaceAll("\\p{XDigit}+", "\\\\x{$0}").replaceAll("\\s+", "");
    return "\\s?[" + escaped + "]+";
  }

  /** A line of the table; its patterns are compiled when a file asks for them. */
  private record Row(List<String> patterns, boolean wholeWords, boolean addBos) {
    Row withWholeWords() {
      return new Row(patterns, true, addBos);
    }

    Row withBos() {
      return new Row(patterns, wholeWords, true);
    }

    PreTokenizer compile() {
      List<Pattern> splits =
          patterns.stream()
              // \s is Unicode's white space in the definitions
              .map(pattern -> Pattern.compile(pattern, Pattern.UNICODE_CHARACTER_CLASS))
              .toList();
      return new PreTokenizer(splits, wholeWords, addBos);
    }
  }
}
