package dev.quern.core.hybrid;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class PlacementTest {
  @Test
  void namesTellTheirLayer() {
    assertThat(Placement.layer("blk.3.attn_q.weight")).isEqualTo(OptionalInt.of(3));
    assertThat(Placement.layer("kv.12.keys")).isEqualTo(OptionalInt.of(12));
    assertThat(Placement.layer("output.weight")).isEmpty();
    assertThat(Placement.layer("tokens.3")).isEmpty();
    assertThat(Placement.layer("scalar.0.125")).isEmpty();
  }

  @Test
  void theFirstLayersLiveOnTheFirstSide() {
    Placement two = Placement.layers(2);
    assertThat(two.home("blk.1.ffn_up.weight")).isEqualTo(Optional.of(Side.FIRST));
    assertThat(two.home("kv.2.values")).isEqualTo(Optional.of(Side.SECOND));
    assertThat(two.home("token_embd.weight")).isEmpty();
  }
}
