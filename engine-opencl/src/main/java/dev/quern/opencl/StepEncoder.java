package dev.quern.opencl;

import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.Slot;
import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.core.plan.Plan;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes slots and steps as the words that {@code lib/common.clh} describes: a header, the slots of
 * the batch that are bound at submit, the steps in the order of the waves, and where each wave
 * begins.
 */
final class StepEncoder {
  /** Words before the slots: arrivals, departures, fault, spin limit, and room. */
  static final int HEADER_WORDS = 16;

  /** The word of the header that the grid barrier sets when it gives up. */
  static final int FAULT_WORD = 2;

  /** The word of the header that says how often the grid barrier looks before it gives up. */
  static final int SPIN_LIMIT_WORD = 3;

  static final int STEP_WORDS = 40;

  private static final int SLOT_WORDS = 4;
  private static final int GROUPS_WORD = 3;
  private static final int FIRST_INTEGER = 4;
  private static final int MAX_INTEGERS = 12;
  private static final int FIRST_OPERAND = 16;
  private static final int NONE = -1;
  private static final int ARENA_SHIFT = 60;

  private final Map<Slot, Integer> places = new LinkedHashMap<>();
  private final Plan plan;
  private final Geometry geometry;
  private final Region scratch;
  private final int[] words;
  private final int waves;

  StepEncoder(
      CommandBatch batch,
      List<Step> steps,
      Plan plan,
      List<Body> bodies,
      Geometry geometry,
      Region scratch) {
    this.plan = plan;
    this.geometry = geometry;
    this.scratch = scratch;
    Set<Slot.Bytes> bound = batch.bound();
    for (Slot slot : batch.slots()) {
      switch (slot) {
        case Slot.Count count -> places.put(count, places.size());
        case Slot.Bytes bytes -> {
          if (bound.contains(bytes)) {
            places.put(bytes, places.size());
          }
        }
      }
    }
    int at = HEADER_WORDS + SLOT_WORDS * places.size();
    waves = at + STEP_WORDS * steps.size();
    words = new int[waves + plan.waves().size() + 2];
    words[waves] = plan.waves().size();
    int wave = waves + 1;
    words[wave] = at;
    for (List<Integer> members : plan.waves()) {
      for (int member : members) {
        if (steps.get(member) instanceof Step.Kernel step) {
          encode(step, bodies.indexOf(step.body()), at);
        }
        at += STEP_WORDS;
      }
      words[++wave] = at;
    }
  }

  /** All words, slots zero. */
  int[] words() {
    return words.clone();
  }

  /** Where the table of waves begins. */
  int wavesAt() {
    return waves;
  }

  /** Where the step that runs as number {@code order} begins. */
  int stepAt(int order) {
    return HEADER_WORDS + SLOT_WORDS * places.size() + STEP_WORDS * order;
  }

  /** Work-groups of a plain launch of the step that runs as number {@code order}. */
  int groups(int order) {
    return words[stepAt(order) + GROUPS_WORD];
  }

  /** Bytes that the slots take. */
  long slotBytes() {
    return 4L * SLOT_WORDS * places.size();
  }

  /** Writes the values of all slots. */
  void encodeSlots(Bindings bindings, MemorySegment target) {
    places.forEach((slot, place) -> {
      long at = (long) SLOT_WORDS * place;
      switch (slot) {
        case Slot.Count count -> set(target, at + 3, bindings.get(count));
        case Slot.Bytes bytes -> {
          Region region = DeviceBuffer.region(bindings.get(bytes));
          set(target, at, region.arena());
          set(target, at + 1, (int) region.offset());
          set(target, at + 2, (int) (region.offset() >>> 32));
        }
      }
    });
  }

  /** Where a tensor lies: the arena in the upper four bits, the offset below. */
  long address(Tensor tensor, Bindings bindings) {
    return switch (tensor.storage()) {
      case Buffer _ -> address(tensor);
      case Slot.Bytes slot -> {
        Long temporary = plan.scratch().get(slot);
        yield temporary == null
            ? address(DeviceBuffer.region(bindings.get(slot)), tensor.offset())
            : address(scratch, temporary + tensor.offset());
      }
    };
  }

  /** Where a tensor lies that is no slot. */
  static long address(Tensor tensor) {
    return address(DeviceBuffer.region((Buffer) tensor.storage()), tensor.offset());
  }

  private static long address(Region region, long offset) {
    return (long) region.arena() << ARENA_SHIFT | region.offset() + offset;
  }

  private static void set(MemorySegment target, long word, int value) {
    target.setAtIndex(ValueLayout.JAVA_INT, word, value);
  }

  private void encode(Step.Kernel step, int body, int at) {
    words[at] = body;
    Slot.@Nullable Count live = step.rows().liveRows();
    words[at + 1] = live == null ? NONE : place(live);
    words[at + 2] = Math.toIntExact(step.rows().shape().rows());
    words[at + GROUPS_WORD] = geometry.launchGroups(step.tasks());
    if (step.integers().size() > MAX_INTEGERS) {
      throw new IllegalArgumentException("a step has too many integers: " + step);
    }
    for (int i = 0; i < step.integers().size(); i++) {
      words[at + FIRST_INTEGER + i] = step.integers().get(i);
    }
    int word = at + FIRST_OPERAND;
    for (Tensor operand : step.operands()) {
      encode(operand, word);
      word += 3;
    }
  }

  private void encode(@Nullable Tensor operand, int word) {
    if (operand == null) {
      words[word] = NONE;
      return;
    }
    Storage storage = operand.storage();
    long offset = operand.offset();
    switch (storage) {
      case Buffer buffer -> {
        Region region = DeviceBuffer.region(buffer);
        words[word] = region.arena();
        offset += region.offset();
      }
      case Slot.Bytes slot -> {
        Long temporary = plan.scratch().get(slot);
        if (temporary == null) {
          words[word] = DeviceMemory.MOST_ARENAS + place(slot);
        } else {
          words[word] = scratch.arena();
          offset += scratch.offset() + temporary;
        }
      }
    }
    words[word + 1] = (int) offset;
    words[word + 2] = (int) (offset >>> 32);
  }

  private int place(Slot slot) {
    Integer place = places.get(slot);
    if (place == null) {
      throw new IllegalArgumentException("slot " + slot.name() + " is not one of the batch");
    }
    return place;
  }
}
