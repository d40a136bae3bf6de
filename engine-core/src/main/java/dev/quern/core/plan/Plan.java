package dev.quern.core.plan;

import dev.quern.core.Slot;
import dev.quern.core.Storage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How the steps of a batch run: which may run side by side, and where temporaries lie.
 *
 * <p>Two steps conflict if they touch overlapping bytes and one of them writes. A step runs in the
 * first wave after all earlier steps that it conflicts with. Two temporaries share bytes only if
 * the waves in which they are alive do not overlap.
 *
 * @param waves indices of the steps of each wave; every step is in exactly one wave
 * @param scratch offset of each temporary in the scratch memory
 * @param scratchBytes size of the scratch memory
 */
public record Plan(List<List<Integer>> waves, Map<Slot.Bytes, Long> scratch, long scratchBytes) {
  /** Temporaries start at multiples of this, so that any vector load is aligned. */
  public static final long ALIGNMENT = 128;

  public Plan {
    waves = waves.stream().map(List::copyOf).toList();
    scratch = Map.copyOf(scratch);
  }

  /**
   * Plans steps that are given in a valid order.
   *
   * @param steps what each step touches
   * @param bound slots bound at submit, which need no scratch memory
   */
  public static Plan of(List<Access> steps, Set<Slot.Bytes> bound) {
    int[] waveOf = waves(steps);
    List<List<Integer>> waves = new ArrayList<>();
    for (int step = 0; step < steps.size(); step++) {
      while (waves.size() <= waveOf[step]) {
        waves.add(new ArrayList<>());
      }
      waves.get(waveOf[step]).add(step);
    }
    Map<Slot.Bytes, Life> lives = lives(steps, waveOf, bound);
    Map<Slot.Bytes, Long> scratch = new HashMap<>();
    long bytes = layOut(lives, scratch);
    return new Plan(waves, scratch, bytes);
  }

  /** The same plan with the steps of each wave in this order. */
  public Plan inWaves(Comparator<Integer> order) {
    return new Plan(
        waves.stream().map(wave -> wave.stream().sorted(order).toList()).toList(),
        scratch,
        scratchBytes);
  }

  private static int[] waves(List<Access> steps) {
    int[] waveOf = new int[steps.size()];
    for (int step = 0; step < steps.size(); step++) {
      for (int earlier = 0; earlier < step; earlier++) {
        if (waveOf[earlier] >= waveOf[step] && steps.get(step).dependsOn(steps.get(earlier))) {
          waveOf[step] = waveOf[earlier] + 1;
        }
      }
    }
    return waveOf;
  }

  /** The waves from first to last touch. */
  private record Life(Slot.Bytes slot, int first, int last) {
    Life with(int wave) {
      return new Life(slot, Math.min(first, wave), Math.max(last, wave));
    }

    boolean overlaps(Life other) {
      return first <= other.last && other.first <= last;
    }
  }

  private static Map<Slot.Bytes, Life> lives(
      List<Access> steps, int[] waveOf, Set<Slot.Bytes> bound) {
    Map<Slot.Bytes, Life> lives = new HashMap<>();
    for (int step = 0; step < steps.size(); step++) {
      int wave = waveOf[step];
      List<Access.Range> ranges = new ArrayList<>(steps.get(step).reads());
      ranges.addAll(steps.get(step).writes());
      for (Access.Range range : ranges) {
        Storage storage = range.storage();
        if (storage instanceof Slot.Bytes slot && !bound.contains(slot)) {
          lives.merge(slot, new Life(slot, wave, wave), (life, now) -> life.with(wave));
        }
      }
    }
    return lives;
  }

  /** First fit, largest first: each temporary at the lowest offset free during its life. */
  private static long layOut(Map<Slot.Bytes, Life> lives, Map<Slot.Bytes, Long> scratch) {
    List<Life> order = new ArrayList<>(lives.values());
    order.sort(
        Comparator.comparingLong((Life life) -> -life.slot.bytes())
            .thenComparingInt(life -> life.slot.id()));
    List<Life> placed = new ArrayList<>();
    long end = 0;
    for (Life life : order) {
      long offset = lowestFree(life, placed, scratch);
      scratch.put(life.slot, offset);
      placed.add(life);
      placed.sort(Comparator.comparingLong(other -> scratch.getOrDefault(other.slot, 0L)));
      end = Math.max(end, offset + aligned(life.slot.bytes()));
    }
    return end;
  }

  private static long lowestFree(Life life, List<Life> placed, Map<Slot.Bytes, Long> scratch) {
    long offset = 0;
    for (Life other : placed) {
      long start = scratch.getOrDefault(other.slot, 0L);
      if (life.overlaps(other) && start < offset + aligned(life.slot.bytes())) {
        offset = Math.max(offset, start + aligned(other.slot.bytes()));
      }
    }
    return offset;
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
