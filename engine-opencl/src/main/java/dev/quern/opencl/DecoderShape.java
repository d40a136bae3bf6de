package dev.quern.opencl;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.core.op.KvAppend;
import dev.quern.core.op.Projection;
import dev.quern.core.op.RmsNorm;
import dev.quern.core.op.Rope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The sizes with which {@code launch/decoder.cl} is built, and whether it can be.
 *
 * @param units compute units; one group runs on each
 * @param scratch uint4s of local memory for activations and sums
 */
record DecoderShape(DecoderOps ops, int units, int scratch) {
  /** Warps of a group: 168 registers an item, so that nothing is spilled. */
  private static final int WARPS = 12;

  private static final int ITEMS = 32 * WARPS;

  /** Fewer positions than this are not worth another group. */
  private static final int SPLIT = 128;

  private static final int MOST_SPLITS = 16;

  /** Columns of a product of tensor cores. */
  private static final int MOST_QUERIES = 8;

  /** Rows of the table of addresses, in words of 64 bits. */
  static final int ROW = 16;

  /** Where a row has the numbers of its formats. */
  static final int FORMATS = 13;

  /** Bytes of local memory for rotations, addresses, and what the compiler adds. */
  private static final int OTHER_LOCAL = 1536;

  /** Why this cannot be built, or nothing. */
  String refusal() {
    DecoderOps.Block first = ops.blocks().getFirst();
    List<Projection> products = products();
    List<Tensor> tiled = new ArrayList<>(products.stream().map(Projection::w).toList());
    tiled.add(ops.embed().table());
    for (Tensor weight : tiled) {
      String no = Tiles.refusal(weight);
      if (!no.isEmpty()) {
        return no;
      }
    }
    if (products.stream().map(p -> Tiles.columns(p.w().format())).distinct().count() > 1) {
      return "numbers and blocks are mixed in one model";
    }
    for (DecoderOps.Block block : ops.blocks()) {
      String no = refusal(block, first);
      if (!no.isEmpty()) {
        return no;
      }
    }
    return sizes();
  }

  private String refusal(DecoderOps.Block block, DecoderOps.Block first) {
    Attention attention = block.attention();
    Rope rope = block.query().rope();
    if (!attention.rule().equals(Attention.Rule.causal(first.attention().rule().scale()))
        || attention.sinks() != null) {
      return "attention has a window, a bound or sinks, or another scale";
    }
    if (!attention.keys().format().equals(WeightFormats.F16)) {
      return "the cache is not F16";
    }
    if (!sameRotation(rope, first.query().rope())
        || !sameRotation(block.key().rope(), rope)
        || 2 * rope.table().shape().dim(1) != head()
        || rope.table().shape().rows() < first.keys().cache().shape().dim(1)) {
      return "rotations differ, or do not turn whole heads at every position";
    }
    for (KvAppend append : List.of(block.keys(), block.values())) {
      if (!append.positions().equals(rope.positions())
          || !append.sequences().equals(attention.sequences())
          || !append.positions().equals(attention.positions())
          || !append.cache().shape().equals(first.keys().cache().shape())) {
        return "the cache is not that of one position of one sequence";
      }
    }
    if (!shapes(block).equals(shapes(first)) || !epsilons(block).equals(epsilons(first))) {
      return "blocks differ in shape";
    }
    RmsNorm headNorm = block.query().norm();
    if ((headNorm == null) != (block.key().norm() == null)
        || (headNorm != null && headNorm.weight().shape().elements() != head())) {
      return "queries and keys are not normalised head by head alike";
    }
    return block.gate().w().format().equals(block.up().w().format())
        ? ""
        : "gate and up differ in format";
  }

  private static boolean sameRotation(Rope a, Rope b) {
    return a.table().equals(b.table())
        && a.pairing() == b.pairing()
        && a.positions().equals(b.positions());
  }

  private static List<Object> shapes(DecoderOps.Block block) {
    return List.of(
        block.query().product().w().shape(),
        block.key().product().w().shape(),
        block.value().w().shape(),
        block.output().w().shape(),
        block.gate().w().shape(),
        block.up().w().shape(),
        block.down().w().shape(),
        block.query().norm() == null);
  }

  private List<Object> epsilons(DecoderOps.Block block) {
    RmsNorm query = block.query().norm();
    RmsNorm key = block.key().norm();
    return List.of(
        block.norm().epsilon(),
        block.feedNorm().epsilon(),
        ops.norm().epsilon() == block.norm().epsilon(),
        query == null ? 0f : query.epsilon(),
        key == null ? 0f : key.epsilon() - Objects.requireNonNull(query).epsilon());
  }

  private String sizes() {
    int groupsOfQueries = heads() / kvHeads();
    if (head() != 64 && head() != 128) {
      return "heads of %d elements, not 64 or 128".formatted(head());
    }
    if (groupsOfQueries > MOST_QUERIES) {
      return "%d query heads share a head of the cache, more than %d"
          .formatted(groupsOfQueries, MOST_QUERIES);
    }
    if (units < kvHeads() || units > ITEMS) {
      return "%d compute units for %d heads of the cache".formatted(units, kvHeads());
    }
    if (ops.blocks().getFirst().norm().epsilon() != ops.blocks().getFirst().feedNorm().epsilon()) {
      return "norms differ in epsilon";
    }
    int room = (scratch - activations()) * 16 / (WARPS * 128);
    int projections = share((heads() + 2 * kvHeads()) * head() / Tiles.ROWS) + 2;
    int pairs = share(feed() / Tiles.ROWS);
    if (room < Math.max(projections, 2 * pairs) || pairs > WARPS || share(hidden() / 32) > WARPS) {
      return "layers are too wide for the local memory of %d compute units".formatted(units);
    }
    int floats =
        (groupsOfQueries + 2) * head() / 2
            + 32
            + (2 * WARPS + 2) * MOST_QUERIES
            + groupsOfQueries * (WARPS * 64 + head());
    return floats > 4 * scratch ? "attention needs more local memory" : "";
  }

  private int share(int tiles) {
    return (tiles + units - 1) / units;
  }

  /** The uint4s of local memory that activations take. */
  private int activations() {
    return Math.max(scaled(longest()), scaled(hidden()) + (hidden() / 32 + 3) / 4);
  }

  private int scaled(int length) {
    return length / (halves() ? 8 : 16) + length / 64;
  }

  /** The shape for a device. */
  static DecoderShape of(DecoderOps ops, ClDevice device) {
    int room = (int) Math.min(48 << 10, device.localMemory());
    return new DecoderShape(ops, device.info().computeUnits(), (room - OTHER_LOCAL) / 16);
  }

  // ---- sizes

  private Attention attention() {
    return ops.blocks().getFirst().attention();
  }

  int hidden() {
    return (int) ops.embed().y().shape().last();
  }

  int head() {
    return (int) attention().q().shape().last();
  }

  int heads() {
    return (int) attention().q().shape().dim(1);
  }

  int kvHeads() {
    return (int) attention().keys().shape().dim(2);
  }

  int feed() {
    return (int) ops.blocks().getFirst().down().w().shape().last();
  }

  int vocabulary() {
    return (int) ops.output().w().shape().rows();
  }

  int layers() {
    return ops.blocks().size();
  }

  private int longest() {
    return Math.max(feed(), Math.max(hidden(), heads() * head()));
  }

  private boolean halves() {
    return Tiles.columns(ops.output().w().format()) != 256;
  }

  /** Items of a group. */
  int items() {
    return ITEMS;
  }

  /** Waves of a token, each with a number of its own. */
  int waves() {
    return 4 * layers() + 1;
  }

  /** All products, the output matrix last. */
  private List<Projection> products() {
    List<Projection> products = new ArrayList<>();
    for (DecoderOps.Block block : ops.blocks()) {
      products.add(block.query().product());
      products.add(block.key().product());
      products.add(block.value());
      products.add(block.output());
      products.add(block.gate());
      products.add(block.up());
      products.add(block.down());
    }
    products.add(ops.output());
    return products;
  }

  /** The formats of the products; a format's number is its place. */
  List<WeightFormat> formats() {
    return products().stream().map(p -> p.w().format()).distinct().toList();
  }

  // ---- state

  /** Parts of the kernel's own memory, in order, with their bytes. */
  private Map<String, Long> parts() {
    Map<String, Long> parts = new LinkedHashMap<>();
    parts.put("WORDS", 1024L);
    parts.put("TABLE", 8L * ROW * (layers() + 1));
    parts.put("RESIDUAL", 4L * hidden());
    parts.put("HIDDEN_IN", 2L * hidden());
    parts.put("QUERY_IN", 2L * heads() * head());
    parts.put("FEED_IN", 2L * feed());
    parts.put("PROJECTED", 8L * (heads() + 2 * kvHeads()) * head());
    parts.put("PARTS", 4L * MOST_SPLITS * heads() * head());
    parts.put("TOPS", 8L * units);
    return parts;
  }

  /** Where a part begins. */
  long offset(String part) {
    return parts().entrySet().stream()
        .takeWhile(entry -> !entry.getKey().equals(part))
        .mapToLong(entry -> aligned(entry.getValue()))
        .sum();
  }

  private static long aligned(long bytes) {
    return (bytes + 255) / 256 * 256;
  }

  /** Bytes of the kernel's own memory. */
  long stateBytes() {
    return parts().values().stream().mapToLong(DecoderShape::aligned).sum();
  }

  // ---- text

  /** The macros that the source is built with. */
  Map<String, String> macros() {
    Map<String, String> macros = new LinkedHashMap<>();
    List<WeightFormat> formats = formats();
    StringBuilder each = new StringBuilder();
    for (int i = 0; i < formats.size(); i++) {
      each.append("X(%d, %s) ".formatted(i, FormatSources.lower(formats.get(i))));
    }
    macros.put("FORMATS(X)", each.toString().strip());
    macros.put("WARPS", "" + WARPS);
    macros.put("HALVES", halves() ? "1" : "0");
    macros.put("LONGEST", "" + longest());
    macros.put("HEADS", "" + heads());
    macros.put("KV_HEADS", "" + kvHeads());
    macros.put("HEAD", "" + head());
    macros.put("SPLIT", "" + SPLIT);
    DecoderOps.Placed query = ops.blocks().getFirst().query();
    macros.put("ROPE_HALVES", query.rope().pairing() == Rope.Pairing.HALVES ? "1" : "0");
    RmsNorm norm = query.norm();
    macros.put("QK_NORM", norm == null ? "0" : "1");
    macros.put("QK_EPSILON", number(norm == null ? 0 : norm.epsilon()));
    macros.put("SCALE", number(attention().rule().scale()));
    Tensor cache = attention().keys();
    macros.put("CONTEXT", "" + cache.shape().dim(1));
    macros.put("SEQUENCES", "" + cache.shape().rows());
    macros.put("HIDDEN", "" + hidden());
    macros.put("FEED", "" + feed());
    macros.put("VOCABULARY", "" + vocabulary());
    macros.put("LAYERS", "" + layers());
    macros.put("EPSILON", number(ops.norm().epsilon()));
    macros.put("GREEDY", ops.choice() == null ? "0" : "1");
    WeightFormat embedding = ops.embed().table().format();
    macros.put("EMBEDDING", FormatSources.lower(embedding));
    macros.put("COLUMNS", "" + Tiles.columns(ops.output().w().format()));
    macros.put("EMBEDDING_COLUMNS", "" + Tiles.columns(embedding));
    macros.put("SCRATCH", "" + scratch);
    for (String part : parts().keySet()) {
      macros.put(part, "" + offset(part));
    }
    return macros;
  }

  /** A float that the compiler reads as the same. */
  private static String number(float value) {
    return "as_float(0x%08xu)".formatted(Float.floatToRawIntBits(value));
  }

  // ---- what it reads and writes

  /** The rows of the table of addresses: see the comment on top of the source. */
  List<List<@Nullable Tensor>> table() {
    List<List<@Nullable Tensor>> rows = new ArrayList<>();
    for (DecoderOps.Block block : ops.blocks()) {
      rows.add(
          row(
              block.norm().weight(),
              Tiles.of(block.query().product().w()),
              Tiles.of(block.key().product().w()),
              Tiles.of(block.value().w()),
              weight(block.query().norm()),
              weight(block.key().norm()),
              block.keys().cache(),
              block.values().cache(),
              Tiles.of(block.output().w()),
              block.feedNorm().weight(),
              Tiles.of(block.gate().w()),
              Tiles.of(block.up().w()),
              Tiles.of(block.down().w())));
    }
    rows.add(
        row(
            ops.norm().weight(),
            Tiles.of(ops.output().w()),
            null,
            null,
            Tiles.of(ops.embed().table()),
            null,
            ops.blocks().getFirst().query().rope().table()));
    return rows;
  }

  private static @Nullable Tensor weight(@Nullable RmsNorm norm) {
    return norm == null ? null : norm.weight();
  }

  private static List<@Nullable Tensor> row(@Nullable Tensor... tensors) {
    List<@Nullable Tensor> row = new ArrayList<>();
    for (int i = 0; i < FORMATS; i++) {
      row.add(i < tensors.length ? tensors[i] : null);
    }
    return row;
  }

  /** The numbers of the formats of a row's products, a byte each. */
  long formatsOf(List<@Nullable Tensor> row) {
    List<WeightFormat> formats = formats();
    int[] entries = {1, 2, 3, 8, 10, 12};
    long bytes = 0;
    for (int i = 0; i < entries.length; i++) {
      Tensor tensor = row.get(entries[i]);
      long number = tensor == null ? 0 : formats.indexOf(tensor.format());
      bytes |= number << (8 * i);
    }
    return bytes;
  }
}
