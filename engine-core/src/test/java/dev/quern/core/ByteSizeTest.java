package dev.quern.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {
  @ParameterizedTest
  @CsvSource({
    "4GiB, 4294967296",
    "256MiB, 268435456",
    "1.5 kib, 1536",
    "2G, 2147483648",
    "3GB, 3000000000",
    "7, 7",
    "1TiB, 1099511627776"
  })
  void readsWhatPeopleWrite(String text, long bytes) {
    assertThat(ByteSize.parse("memory", text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "-1GiB", "4 apples", "GiB", "1e3"})
  void refusesTheRest(String text) {
    assertThatThrownBy(() -> ByteSize.parse("memory", text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "memory: must be an amount of memory such as 4GiB, 256MiB or 1048576 but is " + text);
  }

  @Test
  void writesWhatPeopleRead() {
    assertThat(ByteSize.format(1000)).isEqualTo("1000 bytes");
    assertThat(ByteSize.format(1536)).isEqualTo("1.5 KiB");
    assertThat(ByteSize.format(268435456)).isEqualTo("256.0 MiB");
    assertThat(ByteSize.format(1L << 42)).isEqualTo("4096.0 GiB");
  }
}
