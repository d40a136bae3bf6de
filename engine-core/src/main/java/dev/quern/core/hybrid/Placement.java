package dev.quern.core.hybrid;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which of the two backends holds what, by name. An operation runs where what it touches lives; one
 * that touches nothing of the kind runs where the one before it did.
 */
public interface Placement {
  /** Where what has this name lives; empty if wherever it is used, on both sides if need be. */
  Optional<Side> home(String name);

  /** Where operations run before the first and after the last that touch what lives somewhere. */
  Side elsewhere();

  /** Everything on one side. */
  static Placement all(Side side) {
    return new All(side);
  }

  /**
   * The first layers on the first side, the others on the second, and what belongs to no layer
   * where it is used: an embedding and an output matrix on the second side.
   *
   * @param count how many layers are on the first side
   */
  static Placement layers(int count) {
    return new Layers(count);
  }

  /**
   * The layer that a name belongs to: {@code blk.3.attn_q.weight} and {@code kv.3.keys} to layer 3,
   * {@code output.weight} to none.
   */
  static OptionalInt layer(String name) {
    Matcher matcher = Layers.NAME.matcher(name);
    return matcher.matches()
        ? OptionalInt.of(Integer.parseInt(matcher.group(1)))
        : OptionalInt.empty();
  }

  /** See {@link #all}. */
  record All(Side elsewhere) implements Placement {
    @Override
    public Optional<Side> home(String name) {
      return Optional.of(elsewhere);
    }
  }

  /** See {@link #layers}. */
  record Layers(int count) implements Placement {
    private static final Pattern NAME = Pattern.compile("[^.]+\\.(\\d{1,9})\\.[a-z].*");

    @Override
    public Optional<Side> home(String name) {
      OptionalInt layer = layer(name);
      return layer.isEmpty()
          ? Optional.empty()
          : Optional.of(layer.getAsInt() < count ? Side.FIRST : Side.SECOND);
    }

    @Override
    public Side elsewhere() {
      return Side.SECOND;
    }
  }
}
