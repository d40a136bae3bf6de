package dev.quern.cpu;

import dev.quern.cpu.kernel.AttentionMath;
import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.Tile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What one worker needs for itself: memory outside the heap, and operand holders to fill. */
final class Worker {
  private static final long ALIGNMENT = 128;

  final Dot.Job dot = new Dot.Job();
  final AttentionMath.Job attention = new AttentionMath.Job();

  /** At least as many bytes as any step of a compiled batch asked for. */
  MemorySegment scratch = MemorySegment.NULL;

  /** For at least as many activation rows as any step of a compiled batch asked for. */
  Tile.Sums sums = new Tile.Sums(0);

  /** Likewise, for sums of values. */
  Tile.Sums weighted = new Tile.Sums(0);

  private int tokens;
  private int weightedTokens;

  private Arena arena = Arena.ofShared();

  /** Grows the scratch memory; no step may be running. Returns by how many bytes. */
  long reserve(long bytes) {
    long before = scratch.byteSize();
    if (bytes <= before) {
      return 0;
    }
    if (arena.scope().isAlive()) {
      arena.close();
    }
    arena = Arena.ofShared();
    scratch = arena.allocate(bytes, ALIGNMENT);
    dot.scratch = scratch;
    return bytes - before;
  }

  /** Grows the sums; no step may be running. */
  void reserveSums(int wanted) {
    if (wanted > tokens) {
      tokens = wanted;
      sums = new Tile.Sums(wanted);
    }
  }

  /** Grows the sums of values; no step may be running. */
  void reserveWeighted(int wanted) {
    if (wanted > weightedTokens) {
      weightedTokens = wanted;
      weighted = new Tile.Sums(wanted);
    }
  }

  /** Gives the scratch memory back; no step may be running. Returns how many bytes. */
  long release() {
    long bytes = scratch.byteSize();
    if (arena.scope().isAlive()) {
      arena.close();
    }
    scratch = MemorySegment.NULL;
    dot.scratch = MemorySegment.NULL;
    tokens = 0;
    sums = new Tile.Sums(0);
    weightedTokens = 0;
    weighted = new Tile.Sums(0);
    return bytes;
  }
}
