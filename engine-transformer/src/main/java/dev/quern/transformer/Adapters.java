package dev.quern.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * The adapters of the rows of a step.
 *
 * @param used every adapter that a row runs with; one that a row adds twice is there twice
 * @param rows for each of these whether each row runs with it, 1 or 0; empty where every row runs
 *     with all
 */
record Adapters(List<LoraAdapter> used, List<int[]> rows) {
  Adapters {
    used = List.copyOf(used);
    rows = List.copyOf(rows);
  }

  /** Every row runs with all. */
  static Adapters ofAll(List<LoraAdapter> all) {
    return new Adapters(all, List.of());
  }

  /** Row i runs with {@code each.get(i)}. */
  static Adapters ofEach(List<List<LoraAdapter>> each) {
    if (each.stream().allMatch(each.getFirst()::equals)) {
      return ofAll(each.getFirst());
    }
    List<LoraAdapter> used = new ArrayList<>();
    List<int[]> rows = new ArrayList<>();
    each.stream()
        .flatMap(List::stream)
        .distinct()
        .forEach(adapter -> {
          List<Integer> times =
              each.stream().map(own -> Collections.frequency(own, adapter)).toList();
          for (int time = 1; time <= Collections.max(times); time++) {
            int least = time;
            used.add(adapter);
            rows.add(times.stream().mapToInt(own -> own >= least ? 1 : 0).toArray());
          }
        });
    return new Adapters(used, rows);
  }

  /** Those of rows {@code from} to {@code to - 1}. */
  Adapters between(int from, int to) {
    return new Adapters(
        used, rows.stream().map(uses -> Arrays.copyOfRange(uses, from, to)).toList());
  }

  /** Whether rows run with different ones. */
  boolean differ() {
    return !rows.isEmpty();
  }
}
