package dev.quern.transformer;

import java.util.Arrays;

/**
 * Draws tokens. The n-th draw depends only on the seed and on n, so that a seed means the same
 * everywhere.
 */
final class Sampler {
  private final Sampling sampling;
  private long draws;

  Sampler(Sampling sampling) {
    this.sampling = sampling;
  }

  /**
   * The next token.
   *
   * @param candidates logits with their tokens, largest first, ties by lower token
   */
  int draw(Candidates candidates) {
    int count = candidates.tokens.length;
    if (sampling.topK() > 0) {
      count = Math.min(count, sampling.topK());
    }
    if (sampling.temperature() == 0) {
      return candidates.tokens[0];
    }
    double[] p = new double[count];
    double sum = 0;
    for (int i = 0; i < count; i++) {
      p[i] = Math.exp((candidates.logits[i] - candidates.logits[0]) / sampling.temperature());
      sum += p[i];
    }
    count = kept(p, count, sum);
    double kept = 0;
    for (int i = 0; i < count; i++) {
      kept += p[i];
    }
    double at = uniform() * kept;
    int drawn = 0;
    for (double below = p[0]; drawn < count - 1 && below <= at; below += p[drawn]) {
      drawn++;
    }
    return candidates.tokens[drawn];
  }

  /** How many of the candidates top-p and min-p keep; at least 1. */
  private int kept(double[] p, int count, double sum) {
    int kept = 0;
    double mass = 0;
    while (kept < count && mass < sampling.topP() * sum && p[kept] >= sampling.minP() * p[0]) {
      mass += p[kept++];
    }
    return Math.max(1, kept);
  }

  /**
   * A number in [0, 1): SplitMix64 (Steele, Lea and Flood 2014) applied to the seed and the number
   * of the draw.
   */
  private double uniform() {
    long z = sampling.seed() + 0x9E3779B97F4A7C15L * ++draws;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return ((z ^ (z >>> 31)) >>> 11) * 0x1.0p-53;
  }

  /** Lowers the logits of tokens that occurred. */
  void penalise(float[] logits, int[] recent) {
    if (sampling.repeatPenalty() != 1) {
      for (int token : Arrays.stream(recent).distinct().toArray()) {
        logits[token] =
            logits[token] > 0
                ? logits[token] / sampling.repeatPenalty()
                : logits[token] * sampling.repeatPenalty();
      }
    }
  }

  /**
   * Tokens with their logits, largest first, ties by lower token.
   *
   * @param tokens token ids
   * @param logits their logits
   */
  @SuppressWarnings("ArrayRecordComponent") // short-lived, never compared
  record Candidates(int[] tokens, float[] logits) {
    /** All tokens of a vocabulary. */
    static Candidates of(float[] logits) {
      long[] keys = new long[logits.length];
      for (int i = 0; i < logits.length; i++) {
        int bits = Float.floatToRawIntBits(logits[i] + 0f);
        int ascending = bits >= 0 ? bits : bits ^ Integer.MAX_VALUE;
        keys[i] = ((long) ~ascending << 32) | i;
      }
      Arrays.sort(keys);
      int[] tokens = new int[keys.length];
      float[] sorted = new float[keys.length];
      for (int i = 0; i < keys.length; i++) {
        tokens[i] = (int) keys[i];
        sorted[i] = logits[tokens[i]];
      }
      return new Candidates(tokens, sorted);
    }
  }
}
