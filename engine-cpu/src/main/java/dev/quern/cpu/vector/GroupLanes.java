package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.GROUPS;
import static dev.quern.cpu.vector.LaneMath.LINE;
import static dev.quern.cpu.vector.LaneMath.ROWS;
import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;

import dev.quern.cpu.kernel.Interleave;
import dev.quern.cpu.kernel.RowLanes;
import dev.quern.cpu.kernel.Side;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.IntVector;

/**
 * What kernels over interleaved weights share. Four groups at a time: they share the broadcasts of
 * activations, and they are four streams from memory. A processor that computes on what it reads
 * has few reads under way in one stream, since it looks ahead only some hundred instructions and
 * its prefetcher begins anew with each page.
 *
 * <p>Chunk by chunk the products of lines go to an array, then the scales do, and then each group
 * adds the chunk to its sums. Loops over arrays are entered with fewer checks than loops over
 * segments.
 */
abstract class GroupLanes implements RowLanes {
  private final Interleave layout;
  private final Side.Form form;

  GroupLanes(Interleave layout, Side.Form form) {
    this.layout = layout;
    this.form = form;
  }

  @Override
  public final Interleave layout() {
    return layout;
  }

  @Override
  public final Side.Form form() {
    return form;
  }

  @Override
  public final int rows() {
    return GROUPS * ROWS;
  }

  /**
   * The products of the lines of a chunk, for four groups.
   *
   * @param job with the weights, the factors and room for the products
   * @param a where the first group's first line lies; {@code b} to {@code d} likewise
   * @param first number of the first factor
   * @param lines how many lines
   */
  void products(Job job, long a, long b, long c, long d, int first, int lines) {
    LaneMath.products(job, a, b, c, d, first, lines);
  }

  /**
   * Adds the products of a chunk to the sums of a group.
   *
   * @param job with products, lines of scales and sums of all groups
   * @param group which of the four
   * @param block the first block
   * @param count blocks of the chunk
   */
  abstract void add(Job job, int group, int block, int count);

  @Override
  public final void run(Job job) {
    for (int n = 0; n < job.rows; n += GROUPS * ROWS) {
      four(job, n);
      job.store(n, GROUPS * ROWS);
    }
  }

  private void four(Job job, int n) {
    long a = at(job, n);
    long b = at(job, n + ROWS);
    long c = at(job, n + 2 * ROWS);
    long d = at(job, n + 3 * ROWS);
    int groups = Math.min(GROUPS, Math.ceilDiv(job.rows - n, ROWS));
    Arrays.fill(job.sums, 0, GROUPS * ROWS, 0);
    int elements = layout.format().blockElements();
    for (int block = 0; block < job.k / elements; block += layout.chunk()) {
      int count = layout.count(job.k, block);
      long body = layout.bodyAt(block);
      int first = job.factorsAt + form.factors(block * elements);
      products(job, a + body, b + body, c + body, d + body, first, layout.body() * count);
      long head = layout.headAt(job.k, block);
      scales(job, a + head, b + head, c + head, d + head, layout.head() * count);
      for (int group = 0; group < groups; group++) {
        add(job, group, block, count);
      }
    }
  }

  /** Where the group of a row starts; beyond the last one, where that does. */
  private static long at(Job job, int n) {
    return job.wAt + Math.min(n, job.rows - 1) / ROWS * job.rowBytes;
  }

  /** The lines of scales of a chunk: {@code scales[GROUPS · l + i]} of line l of group i. */
  private static void scales(Job job, long a, long b, long c, long d, int lines) {
    MemorySegment w = Lanes.offHeap(job.w);
    int[] scales = job.scales;
    for (int l = 0; l < lines; l++) {
      long line = l * LINE;
      int to = GROUPS * l * N;
      IntVector.fromMemorySegment(I, w, a + line, LE).intoArray(scales, to);
      IntVector.fromMemorySegment(I, w, b + line, LE).intoArray(scales, to + N);
      IntVector.fromMemorySegment(I, w, c + line, LE).intoArray(scales, to + 2 * N);
      IntVector.fromMemorySegment(I, w, d + line, LE).intoArray(scales, to + 3 * N);
    }
  }
}
