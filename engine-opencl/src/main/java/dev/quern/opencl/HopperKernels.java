package dev.quern.opencl;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Projection;
import dev.quern.kernels.cl.KernelSources;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Products and attention of many rows on the tensor cores of NVIDIA's Hopper, as {@code FAST}
 * allows: operands are halves, sums float32. Activations become halves once and serve every product
 * that reads them ({@link Halves}), so this is made anew for each batch. {@code
 * op/matmul-wgmma.clh} says how.
 */
final class HopperKernels {
  private static final String HOPPER = "lib/hopper.clh";

  private static final String MMA = "lib/mma.clh";
  private static final String NOT_HOPPER =
      "the device is not of NVIDIA's architecture Hopper (sm_90)";

  /** Largest head whose sums fit the registers. */
  private static final int MAX_HEAD = 128;

  /** Up to this many rows, the sequences of a tile are shared between work-groups. */
  private static final int SHARED_ROWS = 64;

  /** Positions of a tile of attention, as in the kernel. */
  private static final int ATTENTION_KEYS = 64;

  /** Bytes of a copy to local memory. */
  private static final int COPY_BYTES = 16;

  /** Up to this many rows, streaming the weights takes longer than the products. */
  private static final int MANY_ROWS = 32;

  /** Local memory of a work-group; the 48 KiB that OpenCL reports do not bind such programs. */
  private static final int LOCAL_BYTES = 227 << 10;

  /** Bytes of the two barriers of a place. */
  private static final int BARRIER_BYTES = 16;

  private static final int MAX_PLACES = 8;

  /** Batches of up to so many rows may be one launch, which takes other kernels. */
  private static final int MAX_PERSISTENT_ROWS = CompiledOpenClBatch.MAX_PERSISTENT_ROWS;

  private static final int CHUNK_COLUMNS = 256;

  /** Weight rows of a team of four warps. */
  private static final int TEAM_ROWS = 64;

  private static final int TEAM_ITEMS = 128;

  /** The warp that copies. */
  private static final int COPY_ITEMS = 32;

  /** Stages of activations, as in the kernel. */
  private static final int STAGES = 4;

  /**
   * What a tile of 128 by 128 takes, to one of 256 by 128: 32 µs to 57 (dense: 43 to 64), K = 4096,
   * on an H200, 2026-11-21.
   */
  private static final int COST = 4;

  private static final int WIDE_COST = 7;
  private static final int WIDE_DENSE_COST = 6;

  private final ClDevice device;
  private final Neighbours neighbours;
  private final Temporaries temporaries;
  private final Halves halves;

  /** Kernels for one batch. */
  HopperKernels(ClDevice device, Neighbours neighbours, Temporaries temporaries) {
    this.device = device;
    this.neighbours = neighbours;
    this.temporaries = temporaries;
    halves = new Halves(neighbours, temporaries, this::takes);
  }

  /** The form of activations that these products read. */
  Halves halves() {
    return halves;
  }

  List<KernelRow<?>> rows() {
    return List.of(
        new KernelRow<>("matmul-wgmma", Projection.class, this::projection),
        new KernelRow<>("attention-mma", Attention.class, this::attention));
  }

  /**
   * How a product is cut.
   *
   * @param tokens rows of activations of a tile
   * @param teams of 64 weight rows of a tile
   * @param units places for chunks of weights
   */
  private record Cut(int tokens, int teams, int units) {
    static Cut of(Projection op, long outputs, int computeUnits) {
      long rows = op.x().shape().rows();
      int units = Tiles.columns(op.w().format()) < CHUNK_COLUMNS ? 4 : 2;
      if (rows <= 64) {
        return new Cut(64, 1, units);
      }
      Cut large = new Cut(128, 2, units);
      if (10 * large.tiles(rows, outputs) >= 9L * computeUnits) {
        Cut wide = new Cut(256, 2, units);
        boolean dense = op.w().format().blockElements() == 1;
        long turns =
            ceil(wide.tiles(rows, outputs), computeUnits) * (dense ? WIDE_DENSE_COST : WIDE_COST);
        boolean better = turns < ceil(large.tiles(rows, outputs), computeUnits) * COST;
        return rows > 128 && better ? wide : large;
      }
      // A tile of which nearly every compute unit has one.
      Cut half = new Cut(128, 1, units);
      return 10 * half.tiles(rows, outputs) >= 9L * computeUnits ? half : new Cut(64, 1, units);
    }

    long tiles(long rows, long outputs) {
      return ceil(rows, tokens) * ceil(outputs, (long) TEAM_ROWS * teams);
    }

    int scratchBytes(WeightFormat format) {
      long chunk = format.bytes((long) Tiles.ROWS * Tiles.columns(format));
      return Math.toIntExact(
          128L * STAGES * tokens + 2 * chunk * units * teams + 16L * (STAGES + units));
    }
  }

  private Offer attention(Attention op) {
    int size = (int) op.q().shape().last();
    if (!device.hopper()) {
      return new Offer.Refused(NOT_HOPPER);
    }
    if (!op.keys().format().equals(WeightFormats.F16)) {
      return new Offer.Refused("the cache is " + op.keys().format().name() + ", not F16");
    }
    if (size % 16 != 0 || size > MAX_HEAD) {
      return new Offer.Refused(
          "heads of %d are not a multiple of 16 up to %d".formatted(size, MAX_HEAD));
    }
    long rows = op.q().shape().rows();
    if (rows == 1) {
      return new Offer.Refused("there is one row");
    }
    if (op.keys().offset() % COPY_BYTES != 0 || op.values().offset() % COPY_BYTES != 0) {
      return new Offer.Refused("the cache does not start at a multiple of " + COPY_BYTES);
    }
    SortedMap<String, String> macros = new TreeMap<>(Map.of("SIZE", Integer.toString(size)));
    Body body =
        new Body(
            "attention_mma_" + size,
            List.of(Halves.LIBRARY, MMA),
            "op/attention-mma.clh",
            macros,
            2 * ATTENTION_KEYS * (2 * size + COPY_BYTES) + 8 * ATTENTION_KEYS,
            TEAM_ITEMS);
    long heads = op.q().shape().dim(1);
    long kvHeads = op.keys().shape().dim(2);
    // Few rows are a step of many sequences rather than the prompt of one.
    long shares = rows <= SHARED_ROWS ? Math.min(rows, 16) : 1;
    Attention.Rule rule = op.rule();
    Halves.Wanted wanted = halves.wanted(op, op.y());
    return new Offer.Took(
        List.of(
            StepBuilder.of(op, body, op.q())
                .integers(
                    heads,
                    size,
                    kvHeads,
                    op.keys().shape().rows(),
                    op.keys().shape().dim(1),
                    rule.window(),
                    Float.floatToRawIntBits(rule.scale()),
                    Float.floatToRawIntBits(rule.softCap()),
                    shares,
                    wanted.capacity())
                .operands(
                    op.q(),
                    op.keys(),
                    op.values(),
                    op.sequences(),
                    op.positions(),
                    wanted.y(),
                    op.sinks(),
                    wanted.target())
                .touching(op.reads(), Arrays.asList(wanted.y(), wanted.target()))
                .tasks(shares * kvHeads * ceil(ceil(rows, 16) * (heads / kvHeads), 4))));
  }

  private static long ceil(long a, long b) {
    return (a + b - 1) / b;
  }

  /**
   * How a product of few rows is cut.
   *
   * @param tokens most rows of activations
   * @param sets of 64 weight rows of a group
   * @param teams that take chunks in turn
   * @param places for chunks; a multiple of the teams
   */
  private record FewCut(int tokens, int sets, int teams, int places) {
    /** The cut of a product; those beside it get as many teams, so that all are one launch. */
    static FewCut of(Projection op, List<Projection> beside, int computeUnits) {
      long rows = op.x().shape().rows();
      int tokens = rows <= 8 ? 8 : rows <= 16 ? 16 : 32;
      // More weight rows a group read the activations less often, if nearly every unit has some.
      boolean wide =
          op.w().format().blockElements() > 1
              && 10 * ceil(outputs(beside), 2L * TEAM_ROWS) >= 8L * computeUnits;
      if (wide) {
        return of(tokens, 2, 2, op.w().format());
      }
      boolean fits =
          beside.stream().allMatch(each -> room(tokens, 1, 4, each.w().format()) >= MAX_PLACES);
      return of(tokens, 1, fits ? 4 : 3, op.w().format());
    }

    private static FewCut of(int tokens, int sets, int teams, WeightFormat format) {
      int places = Math.min(MAX_PLACES, room(tokens, sets, teams, format));
      return new FewCut(tokens, sets, teams, places / teams * teams);
    }

    /** How many places the local memory has. */
    private static int room(int tokens, int sets, int teams, WeightFormat format) {
      int place = placeBytes(format, tokens, sets) + BARRIER_BYTES;
      return (LOCAL_BYTES - sumBytes(tokens, sets, teams)) / place;
    }

    long tiles(Projection op) {
      return ceil(op.w().shape().rows(), (long) TEAM_ROWS * sets);
    }

    private static int sumBytes(int tokens, int sets, int teams) {
      return (teams - 1) * sets * tokens * 256;
    }

    /** Bytes of 256 columns of activations and of weights. */
    private static int placeBytes(WeightFormat format, int tokens, int sets) {
      long weights = format.bytes((long) Tiles.ROWS * CHUNK_COLUMNS);
      return Math.toIntExact(512L * tokens + 2 * weights * sets);
    }

    int scratchBytes(WeightFormat format) {
      return places * (placeBytes(format, tokens, sets) + BARRIER_BYTES)
          + sumBytes(tokens, sets, teams);
    }
  }

  /** Whether the product is done here. */
  boolean takes(Projection op) {
    return refusal(op).isEmpty();
  }

  /** Why the product is not done here, or nothing. */
  private String refusal(Projection op) {
    WeightFormat format = op.w().format();
    if (!device.hopper()) {
      return NOT_HOPPER;
    }
    if (KernelSources.find(FormatSources.fragmentSource(format)).isEmpty()) {
      return format.name() + " has no form for tensor cores";
    }
    if (op.x().shape().rows() == 1 && neighbours.mostRows() <= MAX_PERSISTENT_ROWS) {
      return "there is one row, and the batch has few";
    }
    if (op.w().shape().last() % CHUNK_COLUMNS != 0) {
      return "%d columns are not a multiple of %d".formatted(op.w().shape().last(), CHUNK_COLUMNS);
    }
    return Tiles.refusal(op.w());
  }

  private Offer projection(Projection op) {
    String refusal = refusal(op);
    if (!refusal.isEmpty()) {
      return new Offer.Refused(refusal);
    }
    List<Step.Kernel> steps = new ArrayList<>();
    Tensor x = halves.of(op, steps);
    steps.add(op.x().shape().rows() <= MANY_ROWS ? fewRows(op, x) : manyRows(op, x));
    return new Offer.Took(steps);
  }

  /** Products that run beside this one, in the same launch if they are cut in the same way. */
  private List<Projection> beside(Projection op) {
    return neighbours.siblings(op, op.x(), Projection.class).stream().filter(this::takes).toList();
  }

  private Step.Kernel fewRows(Projection op, Tensor x) {
    WeightFormat format = op.w().format();
    List<Projection> beside = beside(op);
    int units = device.info().computeUnits();
    FewCut cut = FewCut.of(op, beside, units);
    String fragment = FormatSources.lower(format);
    SortedMap<String, String> macros = new TreeMap<>();
    macros.put("FRAGMENT", fragment);
    macros.put("TOKENS", Integer.toString(cut.tokens));
    macros.put("SETS", Integer.toString(cut.sets));
    macros.put("TEAMS", Integer.toString(cut.teams));
    macros.put("PLACES", Integer.toString(cut.places));
    Body body =
        new Body(
            "matmul_wgmma_few_" + fragment + "_" + cut.tokens + "x" + TEAM_ROWS * cut.sets,
            List.of(HOPPER, Halves.LIBRARY, FormatSources.fragmentSource(format)),
            "op/matmul-wgmma-few.clh",
            macros,
            cut.scratchBytes(format),
            TEAM_ITEMS * cut.teams + COPY_ITEMS);
    // A group that stays reads the weights of its next tile while it adds up this one. One fits a
    // unit, so the groups of a launch are shared out.
    long all = beside.stream().mapToLong(cut::tiles).sum();
    long tiles = cut.tiles(op);
    // Two groups for each tile of a product that has few, if whoever reads it adds them up.
    long planes = all == tiles && 2 * tiles <= units && neighbours.isSummand(op, op.y()) ? 2 : 1;
    Tensor y =
        planes == 1
            ? op.y()
            : temporaries.newForm(op.y(), Temporaries.PLANES, planes * op.y().bytes());
    return product(op, x, y, planes, body)
        .tasks(all <= units ? planes * tiles : Math.max(1, units * tiles / all));
  }

  private Step.Kernel manyRows(Projection op, Tensor x) {
    WeightFormat format = op.w().format();
    List<Projection> alike =
        beside(op).stream().filter(each -> each.w().format().equals(format)).toList();
    Cut cut = Cut.of(op, outputs(alike), device.info().computeUnits());
    String fragment = FormatSources.lower(format);
    SortedMap<String, String> macros = new TreeMap<>();
    macros.put("FRAGMENT", fragment);
    macros.put("TOKENS", Integer.toString(cut.tokens));
    macros.put("TEAMS", Integer.toString(cut.teams));
    macros.put("UNITS", Integer.toString(cut.units));
    Body body =
        new Body(
            "matmul_wgmma_" + fragment + "_" + cut.tokens + "x" + TEAM_ROWS * cut.teams,
            List.of(HOPPER, Halves.LIBRARY, FormatSources.fragmentSource(format)),
            "op/matmul-wgmma.clh",
            macros,
            cut.scratchBytes(format),
            TEAM_ITEMS * cut.teams + COPY_ITEMS);
    return product(op, x, op.y(), 1, body)
        .tasks(cut.tiles(op.x().shape().rows(), op.w().shape().rows()));
  }

  private static long outputs(List<Projection> products) {
    return products.stream().mapToLong(op -> op.w().shape().rows()).sum();
  }

  private static StepBuilder product(Projection op, Tensor x, Tensor y, long planes, Body body) {
    Tensor w = Tiles.of(op.w());
    return StepBuilder.of(op, body, op.x())
        .integers(
            op.w().shape().rows(),
            op.w().shape().last(),
            Halves.capacity(op.x()),
            planes,
            op.y().shape().elements())
        .operands(x, w, y)
        .touching(List.of(x, w), List.of(y));
  }
}
