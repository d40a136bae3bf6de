package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.quern.transformer.Sampler.Candidates;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final float[] LOGITS = {1, 3, 2, 3, -1};

  @Test
  void candidatesAreSortedWithTiesByLowerToken() {
    Candidates candidates = Candidates.of(new float[] {0f, -2, 5, -0f, 5, -3});
    assertThat(candidates.tokens()).containsExactly(2, 4, 0, 3, 1, 5);
    assertThat(candidates.logits()).containsExactly(5, 5, 0f, -0f, -2, -3);
  }

  @Test
  void temperatureZeroTakesTheMostLikely() {
    assertThat(new Sampler(Sampling.greedy()).draw(Candidates.of(LOGITS))).isEqualTo(1);
  }

  @Test
  void frequenciesFollowTheSoftmax() {
    Sampler sampler = new Sampler(Sampling.temperature(0.5f, 7));
    int draws = 20_000;
    int[] counts = new int[LOGITS.length];
    IntStream.range(0, draws).forEach(i -> counts[sampler.draw(Candidates.of(LOGITS))]++);
    double sum = 0;
    for (float logit : LOGITS) {
      sum += Math.exp(logit / 0.5);
    }
    for (int token = 0; token < LOGITS.length; token++) {
      double expected = Math.exp(LOGITS[token] / 0.5) / sum;
      // four standard deviations of a binomial frequency
      assertThat(counts[token] / (double) draws)
          .isCloseTo(expected, within(4 * Math.sqrt(expected / draws) + 1e-9));
    }
  }

  @Test
  void theSameSeedDrawsTheSame() {
    int[] first = draws(Sampling.temperature(1, 42));
    assertThat(draws(Sampling.temperature(1, 42))).containsExactly(first);
    assertThat(draws(Sampling.temperature(1, 43))).isNotEqualTo(first);
  }

  @Test
  void topKTopPAndMinPBoundTheChoice() {
    assertThat(draws(new Sampling(5, 2, 1, 0, 1, 1))).containsOnly(1, 3);
    assertThat(draws(new Sampling(1, 0, 0.1f, 0, 1, 1))).containsOnly(1);
    assertThat(draws(new Sampling(1, 0, 1, 0.3f, 1, 1))).containsOnly(1, 2, 3);
    assertThat(draws(new Sampling(1, 0, 1, 0.99f, 1, 1))).containsOnly(1, 3);
  }

  @Test
  void theRepeatPenaltyLowersWhatOccurred() {
    float[] logits = {2, -2, 2};
    new Sampler(new Sampling(0, 0, 1, 0, 2, 0)).penalise(logits, new int[] {0, 1, 0});
    assertThat(logits).containsExactly(1, -4, 2);
  }

  @Test
  void valuesOutOfRangeAreNamed() {
    assertThatThrownBy(() -> new Sampling(-1, 0, 1, 0, 1, 0))
        .hasMessage("temperature: must be ≥ 0 but is -1.0");
    assertThatThrownBy(() -> new Sampling(1, 0, 0, 0, 1, 0)).hasMessageContaining("top-p");
    assertThatThrownBy(() -> new Sampling(1, 0, 1, 2, 1, 0)).hasMessageContaining("min-p");
  }

  private static int[] draws(Sampling sampling) {
    Sampler sampler = new Sampler(sampling);
    return IntStream.range(0, 200).map(i -> sampler.draw(Candidates.of(LOGITS))).toArray();
  }
}
