package dev.quern.core.format;

import java.util.List;
import java.util.Optional;

/** The formats Quern knows. A new one is a line here. */
public final class WeightFormats {
  public static final WeightFormat F32 = new F32();
  public static final WeightFormat F16 = new F16();
  public static final WeightFormat BF16 = new BF16();
  public static final WeightFormat I32 = new I32();
  public static final WeightFormat Q4_0 = new Q4_0();
  public static final WeightFormat Q4_1 = new Q4_1();
  public static final WeightFormat Q5_0 = new Q5_0();
  public static final WeightFormat Q5_1 = new Q5_1();
  public static final WeightFormat Q8_0 = new Q8_0();
  public static final WeightFormat Q2_K = new Q2_K();
  public static final WeightFormat Q3_K = new Q3_K();
  public static final WeightFormat Q4_K = new Q4_K();
  public static final WeightFormat Q5_K = new Q5_K();
  public static final WeightFormat Q6_K = new Q6_K();
  public static final WeightFormat Q8_K = new Q8_K();
  public static final WeightFormat TQ1_0 = new TQ1_0();
  public static final WeightFormat TQ2_0 = new TQ2_0();
  public static final WeightFormat IQ4_NL = new IQ4_NL();
  public static final WeightFormat IQ4_XS = new IQ4_XS();
  public static final WeightFormat MXFP4 = new MXFP4();

  private static final List<WeightFormat> ALL =
      List.of(
          F32, F16, BF16, I32, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, Q8_K,
          TQ1_0, TQ2_0, IQ4_NL, IQ4_XS, MXFP4);

  private WeightFormats() {}

  /** All formats, weights or not. */
  public static List<WeightFormat> all() {
    return ALL;
  }

  /** The formats in which a weight may be stored. */
  public static List<WeightFormat> weights() {
    return ALL.stream().filter(f -> f.product() != WeightFormat.Product.NONE).toList();
  }

  /** The format with this tensor type id in GGUF files, if Quern knows it. */
  public static Optional<WeightFormat> byGgufId(int id) {
    return ALL.stream().filter(f -> f.ggufId() == id).findFirst();
  }

  /** The format with this name, upper or lower case, if Quern knows it. */
  public static Optional<WeightFormat> byName(String name) {
    return ALL.stream().filter(f -> f.name().equalsIgnoreCase(name)).findFirst();
  }
}
