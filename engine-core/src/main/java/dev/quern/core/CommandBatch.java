package dev.quern.core;

import dev.quern.core.op.Op;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a model wants done, recorded once and compiled by any backend: operations in order, the
 * slots they use, and the tensors that cross the border.
 *
 * @param name the name used in messages and {@code explain()}
 * @param ops operations in the order of recording
 * @param slots all slots; {@code slots.get(i).id() == i}
 * @param inputs tensors bound at submit, by name, in order of declaration
 * @param outputs computed tensors bound at submit, by name, in order of declaration
 */
public record CommandBatch(
    String name,
    List<Op> ops,
    List<Slot> slots,
    Map<String, Tensor> inputs,
    Map<String, Tensor> outputs) {
  /** Made by {@link BatchRecorder#end}. */
  public CommandBatch {
    ops = List.copyOf(ops);
    slots = List.copyOf(slots);
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
    outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
  }

  /** Starts to record a batch. */
  public static BatchRecorder record(String name) {
    return new BatchRecorder(name);
  }

  /** The byte slots of inputs and outputs; the other byte slots are temporaries. */
  public Set<Slot.Bytes> bound() {
    Set<Slot.Bytes> bound = new LinkedHashSet<>();
    inputs.values().forEach(t -> bound.add((Slot.Bytes) t.storage()));
    outputs.values().forEach(t -> bound.add((Slot.Bytes) t.storage()));
    return bound;
  }

  /** Empty bindings for this batch: counts at their maximum, no buffers. */
  public Bindings bindings() {
    return new Bindings(this);
  }

  /**
   * The input or output with this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Tensor tensor(String tensor) {
    Tensor found = inputs.containsKey(tensor) ? inputs.get(tensor) : outputs.get(tensor);
    if (found == null) {
      throw new IllegalArgumentException(
          "%s: tensor must be one of the inputs %s or outputs %s but is %s"
              .formatted(name, inputs.keySet(), outputs.keySet(), tensor));
    }
    return found;
  }
}
