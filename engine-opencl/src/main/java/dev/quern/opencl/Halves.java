package dev.quern.opencl;

import dev.quern.core.Tensor;
import dev.quern.core.op.Op;
import dev.quern.core.op.Projection;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Activations as halves in the order in which products on tensor cores read them ({@code
 * op/halves.clh}). Who computes activations writes them so as well, if it can, and only so if
 * nobody else reads them; else a step of its own makes them.
 */
final class Halves {
  private static final String FORM = "halves";
  static final String LIBRARY = "lib/halves.clh";
  private static final int GROUP = 256;

  private final Neighbours neighbours;
  private final Temporaries temporaries;
  private final Predicate<Projection> wants;

  /**
   * Halves for one batch.
   *
   * @param wants which products read halves
   */
  Halves(Neighbours neighbours, Temporaries temporaries, Predicate<Projection> wants) {
    this.neighbours = neighbours;
    this.temporaries = temporaries;
    this.wants = wants;
  }

  /**
   * What a kernel shall write.
   *
   * @param y the result itself, or null if nobody reads it
   * @param target the halves, or null if nobody wants them
   * @param capacity rows of the halves
   */
  record Wanted(@Nullable Tensor y, @Nullable Tensor target, long capacity) {
    /** The result alone. */
    static Wanted plain(Tensor y) {
      return new Wanted(y, null, 0);
    }
  }

  /** What the kernel that does {@code op} shall make of its result {@code y}. */
  Wanted wanted(Op op, Tensor y) {
    List<Projection> products =
        neighbours
            .readers(op, y)
            .filter(reader -> reader instanceof Projection product && wants.test(product))
            .map(Projection.class::cast)
            .filter(product -> Neighbours.same(product.x(), y))
            .toList();
    if (products.isEmpty()) {
      return Wanted.plain(y);
    }
    // The same numbers in another shape would be another form.
    Tensor x = products.getFirst().x();
    List<Projection> readers = products.stream().filter(p -> p.x().equals(x)).toList();
    boolean alone = neighbours.onlyFor(op, y, readers);
    return new Wanted(alone ? null : y, make(x), capacity(x));
  }

  /** The halves of {@code x}; if no step makes them yet, one is added to {@code steps}. */
  Tensor of(Projection op, List<Step.Kernel> steps) {
    Tensor x = op.x();
    Tensor form = temporaries.form(x, FORM);
    if (form == null) {
      form = make(x);
      Body body = new Body("halves", List.of(LIBRARY), "op/halves.clh", new TreeMap<>(), 0, GROUP);
      steps.add(
          StepBuilder.of(op, body, x)
              .integers(x.shape().rowElements(), capacity(x))
              .operands(x, form)
              .touching(List.of(x), List.of(form))
              .tasks((x.shape().elements() / 16 + GROUP - 1) / GROUP));
    }
    return form;
  }

  private Tensor make(Tensor x) {
    return temporaries.newForm(x, FORM, 2 * capacity(x) * x.shape().rowElements());
  }

  /** Rows of the halves: whole tiles of any cut. */
  static long capacity(Tensor x) {
    long rows = x.shape().rows();
    long tile = Math.clamp(Long.highestOneBit(Math.max(1, rows - 1)) * 2, 8, 256);
    return (rows + tile - 1) / tile * tile;
  }
}
