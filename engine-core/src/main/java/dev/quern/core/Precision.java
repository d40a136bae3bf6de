package dev.quern.core;

/** How much rounding a backend may add for speed. */
public enum Precision {
  /**
   * Float32 activations, KV cache and accumulation; no half, tf32 or int8 operand but the stored
   * weights. Logits stay within a normalised mean squared error of 1e-9 of double arithmetic.
   */
  EXACT,
  /**
   * The backend may use int8 or f16 activations and an F16 KV cache. Norms, softmax, router logits
   * and residuals stay float32. Logits stay within a normalised mean squared error of 3e-4 (1e-3
   * for mixtures of experts).
   */
  FAST
}
