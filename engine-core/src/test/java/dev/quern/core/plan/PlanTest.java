package dev.quern.core.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.CommandBatch;
import dev.quern.core.Slot;
import dev.quern.core.Storage;
import dev.quern.core.plan.Access.Range;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class PlanTest {
  private static final int SLOTS = 12;

  private static Slot.Bytes slot(int id) {
    return new Slot.Bytes(id, "slot" + id, 1 + 100L * (id * 7 % 5));
  }

  private static Set<Slot.Bytes> bound() {
    return Set.of(slot(0), slot(1), slot(2));
  }

  @Provide
  Arbitrary<List<Access>> steps() {
    Arbitrary<Range> whole =
        Arbitraries.integers().between(0, SLOTS - 1).map(i -> Range.of(slot(i)));
    Arbitrary<Range> part =
        Combinators.combine(
                Arbitraries.integers().between(0, SLOTS - 1),
                Arbitraries.doubles().between(0, 1),
                Arbitraries.doubles().between(0, 1))
            .as((i, from, to) -> {
              long bytes = slot(i).bytes();
              long offset = (long) (from * (bytes - 1));
              return new Range(slot(i), offset, 1 + (long) (to * (bytes - 1 - offset)));
            });
    Arbitrary<Range> range = Arbitraries.oneOf(whole, part);
    Arbitrary<Access> step =
        Combinators.combine(range.list().ofMaxSize(3), range.list().ofMinSize(1).ofMaxSize(2))
            .as(Access::new);
    return step.list().ofMaxSize(30);
  }

  private static int[] waveOf(Plan plan, int steps) {
    int[] waveOf = new int[steps];
    List<Integer> seen = new ArrayList<>();
    for (int wave = 0; wave < plan.waves().size(); wave++) {
      assertThat(plan.waves().get(wave)).isNotEmpty().isSorted();
      for (int step : plan.waves().get(wave)) {
        waveOf[step] = wave;
        seen.add(step);
      }
    }
    assertThat(seen).hasSize(steps).doesNotHaveDuplicates();
    return waveOf;
  }

  private static boolean conflict(Access one, Access other) {
    return touch(one.writes(), other.writes())
        || touch(one.writes(), other.reads())
        || touch(one.reads(), other.writes());
  }

  private static boolean touch(List<Range> some, List<Range> others) {
    return some.stream()
        .anyMatch(a ->
            others.stream()
                .anyMatch(b ->
                    a.storage().equals(b.storage())
                        && Math.max(a.offset(), b.offset())
                            < Math.min(a.offset() + a.bytes(), b.offset() + b.bytes())));
  }

  @Property(tries = 300)
  void everyConflictingPairIsOrdered(@ForAll("steps") List<Access> steps) {
    int[] waveOf = waveOf(Plan.of(steps, bound()), steps.size());
    for (int later = 0; later < steps.size(); later++) {
      boolean needed = waveOf[later] == 0;
      for (int earlier = 0; earlier < later; earlier++) {
        if (conflict(steps.get(earlier), steps.get(later))) {
          assertThat(waveOf[earlier]).isLessThan(waveOf[later]);
          needed |= waveOf[earlier] == waveOf[later] - 1;
        }
      }
      assertThat(needed).as("step %d could run a wave earlier", later).isTrue();
    }
  }

  @Property(tries = 300)
  void temporariesAliveTogetherDoNotOverlap(@ForAll("steps") List<Access> steps) {
    Plan plan = Plan.of(steps, bound());
    int[] waveOf = waveOf(plan, steps.size());
    Map<Slot.Bytes, int[]> lives = new HashMap<>();
    for (int step = 0; step < steps.size(); step++) {
      int wave = waveOf[step];
      Stream.concat(steps.get(step).reads().stream(), steps.get(step).writes().stream())
          .map(Range::storage)
          .forEach(storage -> touch(lives, storage, wave));
    }
    lives.keySet().removeAll(bound());
    assertThat(plan.scratch()).containsOnlyKeys(lives.keySet());
    for (Slot.Bytes one : lives.keySet()) {
      for (Slot.Bytes other : lives.keySet()) {
        int[] a = lives.getOrDefault(one, new int[2]);
        int[] b = lives.getOrDefault(other, new int[2]);
        if (one.id() < other.id() && a[0] <= b[1] && b[0] <= a[1]) {
          assertThat(
                  offset(plan, one) + one.bytes() <= offset(plan, other)
                      || offset(plan, other) + other.bytes() <= offset(plan, one))
              .as("%s and %s are alive together", one, other)
              .isTrue();
        }
      }
    }
  }

  private static void touch(Map<Slot.Bytes, int[]> lives, Storage storage, int wave) {
    if (storage instanceof Slot.Bytes slot) {
      int[] life = lives.computeIfAbsent(slot, s -> new int[] {wave, wave});
      life[0] = Math.min(life[0], wave);
      life[1] = Math.max(life[1], wave);
    }
  }

  private static long offset(Plan plan, Slot.Bytes slot) {
    return plan.scratch().getOrDefault(slot, Long.MIN_VALUE);
  }

  @Property(tries = 300)
  void scratchIsAlignedAndNoLargerThanAllTemporaries(@ForAll("steps") List<Access> steps) {
    Plan plan = Plan.of(steps, bound());
    long sum = 0;
    for (Map.Entry<Slot.Bytes, Long> entry : plan.scratch().entrySet()) {
      assertThat(entry.getValue() % Plan.ALIGNMENT).isZero();
      assertThat(entry.getValue()).isNotNegative();
      assertThat(entry.getValue() + entry.getKey().bytes())
          .isLessThanOrEqualTo(plan.scratchBytes());
      sum += (entry.getKey().bytes() + Plan.ALIGNMENT - 1) / Plan.ALIGNMENT * Plan.ALIGNMENT;
    }
    assertThat(plan.scratchBytes()).isLessThanOrEqualTo(sum);
  }

  @Example
  void aChainNeedsTwoTemporaries() {
    List<Access> steps = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      Slot.Bytes from = new Slot.Bytes(i, "t" + i, 256);
      Slot.Bytes to = new Slot.Bytes(i + 1, "t" + (i + 1), 256);
      steps.add(new Access(List.of(Range.of(from)), List.of(Range.of(to))));
    }
    Plan plan =
        Plan.of(steps, Set.of(new Slot.Bytes(0, "t0", 256), new Slot.Bytes(10, "t10", 256)));
    assertThat(plan.waves()).hasSize(10);
    assertThat(plan.scratchBytes()).isEqualTo(512);
  }

  @Example
  void readsRunSideBySideAndPartsDoNotConflict() {
    Range low = new Range(slot(5), 0, 1);
    Slot.Bytes wide = new Slot.Bytes(20, "wide", 1000);
    List<Access> steps =
        List.of(
            new Access(List.of(low), List.of(new Range(wide, 0, 500))),
            new Access(List.of(low), List.of(new Range(wide, 500, 500))),
            new Access(List.of(new Range(wide, 499, 2)), List.of(Range.of(slot(6)))));
    assertThat(Plan.of(steps, bound()).waves()).containsExactly(List.of(0, 1), List.of(2));
  }

  @Example
  void nothingNeedsNothing() {
    Plan plan = Plan.of(List.of(), Set.of());
    assertThat(plan.waves()).isEmpty();
    assertThat(plan.scratchBytes()).isZero();
    assertThat(CommandBatch.record("empty").end().ops()).isEmpty();
  }
}
