package dev.quern.opencl;

import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Op;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Hands out the temporaries that steps of one batch add to those of its operations. */
final class Temporaries {
  /** The form of a result that is the sum of so many tensors of its size, one after another. */
  static final String PLANES = "planes";

  private final Map<Form, Tensor> forms = new HashMap<>();
  private int nextSlot;

  /** Another form of activations, made once and read by all that need it. */
  private record Form(Tensor x, String name) {}

  /**
   * Temporaries of one batch.
   *
   * @param firstSlot the first number that no slot of the batch has
   */
  Temporaries(int firstSlot) {
    nextSlot = firstSlot;
  }

  /** The form {@code name} of {@code x} that a step makes already, or null. */
  @Nullable Tensor form(Tensor x, String name) {
    return forms.get(new Form(x, name));
  }

  /** Room for the form {@code name} of {@code x}: {@code bytes} bytes, a multiple of 4. */
  Tensor newForm(Tensor x, String name, long bytes) {
    Tensor form = words(x.name() + "." + name, bytes);
    forms.put(new Form(x, name), form);
    return form;
  }

  /** Forgets the forms of what an operation overwrites. */
  void wrote(Op op) {
    List<Storage> written = op.writes().stream().map(Tensor::storage).toList();
    forms.keySet().removeIf(form -> written.contains(form.x.storage()));
  }

  /** A tensor of words over {@code bytes} bytes, a multiple of 4. */
  private Tensor words(String name, long bytes) {
    Slot.Bytes slot = new Slot.Bytes(nextSlot++, name, bytes);
    return Tensor.of(name, slot, Shape.of(1, bytes / Integer.BYTES), WeightFormats.I32);
  }
}
