package dev.quern.cpu;

import dev.quern.core.BackendException;
import dev.quern.core.CommandBatch;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import dev.quern.core.plan.Plan;
import dev.quern.cpu.KernelTable.Choice;
import dev.quern.cpu.KernelTable.Lowered;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.Side;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Turns the operations of a batch into steps: a kernel for each, side results that several kernels
 * share, and row operations merged into chains.
 */
final class Lowering implements KernelTable.Context {
  private final CommandBatch batch;
  private final Precision precision;
  private final KernelTable table;
  private final Memory memory = new Memory();
  private final RowOps rowOps;
  private final List<Lowered> lowered = new ArrayList<>();
  private final List<String> refusals = new ArrayList<>();
  private final Map<SideKey, SideUse> sides = new HashMap<>();
  private final InterleavedWeights weights;
  private final List<Tensor> copied = new ArrayList<>();
  private final int workers;
  private int nextSlot;

  Lowering(
      CommandBatch batch,
      Precision precision,
      KernelTable table,
      Kernels kernels,
      InterleavedWeights weights,
      int workers) {
    this.workers = workers;
    this.weights = weights;
    this.precision = precision;
    this.batch = batch;
    this.table = table;
    this.rowOps = new RowOps(memory, kernels);
    nextSlot = batch.slots().size();
  }

  /** Which side of which activations. */
  private record SideKey(Tensor x, Side.Form form) {}

  /**
   * A batch as steps.
   *
   * @param steps in a valid order
   * @param plan which run side by side
   * @param memory the storages they touch
   * @param copied weights of which interleaved copies are used
   * @param refusals why faster kernels were not chosen, operation by operation
   */
  record Result(
      List<Step> steps, Plan plan, Memory memory, List<Tensor> copied, List<String> refusals) {}

  Result run() {
    try {
      for (Op op : batch.ops()) {
        lower(op);
      }
    } catch (RuntimeException | Error e) {
      copied.forEach(weights::release);
      throw e;
    }
    List<Step> steps = chain(sorted());
    Plan plan = Plan.of(steps.stream().map(Step::access).toList(), batch.bound());
    return new Result(steps, plan, memory, List.copyOf(copied), List.copyOf(refusals));
  }

  @Override
  public Precision precision() {
    return precision;
  }

  @Override
  public RowOps rowOps() {
    return rowOps;
  }

  @Override
  public Memory memory() {
    return memory;
  }

  @Override
  public int workers() {
    return workers;
  }

  @Override
  public void before(Step step) {
    lowered.add(new Lowered.Alone(step));
  }

  @Override
  public Tensor temporary(String name, Shape shape, Slot.@Nullable Count live) {
    long bytes = WeightFormats.F32.bytes(shape.elements());
    Slot.Bytes slot = new Slot.Bytes(nextSlot++, name, bytes);
    Tensor all = Tensor.of(name, slot, shape, WeightFormats.F32);
    return live == null ? all : all.withLiveRows(live);
  }

  @Override
  public Optional<Interleaved> interleaved(Tensor w) {
    Optional<Interleaved> copy = weights.use(w);
    copy.ifPresent(present -> copied.add(w));
    return copy;
  }

  @Override
  public Optional<SideUse> side(Tensor x, Side.Form form) {
    return form == Side.Form.NONE
        ? Optional.empty()
        : Optional.of(sides.computeIfAbsent(new SideKey(x, form), this::makeSide));
  }

  private SideUse makeSide(SideKey key) {
    Tensor x = key.x;
    long length = x.shape().last();
    int vectors = Math.toIntExact(x.shape().elements() / length);
    Tensor token = temporary("side", Shape.of(x.shape().rows()), x.liveRows());
    Side side = new Side(key.form, vectors, length);
    SideUse use = new SideUse(side, key.form, length, token);
    lowered.add(new Lowered.Rowwise(rowOps.side(x, use)));
    return use;
  }

  private void lower(Op op) {
    Choice choice =
        table
            .choose(op, precision)
            .orElseThrow(() ->
                new BackendException(
                    "%s: operation %s must have a kernel but has none"
                        .formatted(batch.name(), op)));
    choice.refusals().forEach(refusal -> refusals.add("%s %s".formatted(op.name(), refusal)));
    lowered.add(choice.maker().make(op, this));
    for (Tensor written : op.writes()) {
      sides.keySet().removeIf(key -> key.x.storage().equals(written.storage()));
    }
  }

  /** Everything wave by wave, so that row operations that can be chained come close. */
  private List<Lowered> sorted() {
    List<Access> accesses = lowered.stream().map(Lowering::access).toList();
    List<Lowered> sorted = new ArrayList<>();
    for (List<Integer> wave : Plan.of(accesses, batch.bound()).waves()) {
      wave.forEach(i -> sorted.add(lowered.get(i)));
    }
    return sorted;
  }

  private static Access access(Lowered lowered) {
    return switch (lowered) {
      case Lowered.Rowwise rowwise -> rowwise.op().access();
      case Lowered.Alone alone -> alone.step().access();
    };
  }

  /** Merges each row operation into the last chain, if it may move up to it. */
  private static List<Step> chain(List<Lowered> sorted) {
    List<Step> steps = new ArrayList<>();
    RowChain last = null;
    for (Lowered next : sorted) {
      switch (next) {
        case Lowered.Alone alone -> steps.add(alone.step());
        case Lowered.Rowwise rowwise -> {
          RowOp op = rowwise.op();
          if (last != null && last.takes(op) && free(op.access(), steps, steps.indexOf(last) + 1)) {
            last.add(op);
          } else {
            last = new RowChain(op);
            steps.add(last);
          }
        }
      }
    }
    return steps;
  }

  /** Whether nothing from step {@code first} on must come before {@code access}. */
  private static boolean free(Access access, List<Step> steps, int first) {
    return steps.subList(first, steps.size()).stream()
        .noneMatch(step -> access.dependsOn(step.access()));
  }
}
