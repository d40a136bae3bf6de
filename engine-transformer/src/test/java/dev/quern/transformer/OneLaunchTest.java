package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Backend;
import dev.quern.core.Statistics;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a token costs besides arithmetic, on a resident kernel. */
class OneLaunchTest {
  @Test
  void aTokenIsOneLaunchAndMovesAndBuildsNothing() {
    LoadOptions options =
        LoadOptions.fast().withContext(64).withSettings(Map.of("opencl.strategy", "persistent"));
    try (Backend backend = Engines.open("opencl");
        LanguageModel model = SessionTest.fable(backend, options);
        Session session = model.newSession()) {
      session.generate("Once upon a time", GenerationOptions.greedy(2), text -> {});
      Statistics before = backend.statistics();
      session.generate(GenerationOptions.greedy(16), text -> {});
      Statistics after = backend.statistics();
      assertThat(after.submits() - before.submits()).isBetween(16L, 24L);
      assertThat(after.launches() - before.launches())
          .isEqualTo(after.submits() - before.submits());
      assertThat(after.adoptedBytes()).isEqualTo(before.adoptedBytes());
      assertThat(after.residentBytes()).isEqualTo(before.residentBytes());
      assertThat(after.builds()).isEqualTo(before.builds());
      assertThat(after.hostSteps()).isZero();
      assertThat(after.fallbacks()).isZero();
    }
  }
}
