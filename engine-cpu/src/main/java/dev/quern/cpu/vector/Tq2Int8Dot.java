package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.SHORTS;
import static dev.quern.cpu.vector.Lanes.pairSums;
import static dev.quern.cpu.vector.Lanes.shorts;
import static dev.quern.cpu.vector.Lanes.splat;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Side;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * TQ2_0 weights times int8 activations. 64 bytes are 32 shorts of eight codes; a code times an int8
 * fits a short, as do sixteen such products; the offset of 1 is taken off through their sum.
 */
final class Tq2Int8Dot implements Dot {
  @Override
  public Side.Form form() {
    return Side.Form.TERNARY;
  }

  @Override
  public void run(Job job) {
    for (int n = 0; n < job.rows; n++) {
      float sum = row(job, job.wAt + n * job.rowBytes);
      job.y.set(RowMath.F32, job.yAt + 4L * n, sum);
    }
  }

  private static float row(Job job, long wAt) {
    FloatVector sum = zero();
    float rest = 0;
    ShortVector code = ShortVector.broadcast(SHORTS, (short) 3);
    short[] x = job.side.quantised;
    float[] numbers = job.side.numbers;
    int blocks = job.k / 256;
    for (int block = 0; block < blocks; block++) {
      long at = wAt + 66L * block;
      ShortVector q = shorts(job.w, at);
      ShortVector even = ShortVector.zero(SHORTS);
      ShortVector odd = even;
      for (int shift = 0; shift < 16; shift += 4) {
        int place = job.quantisedAt + 256 * block + 16 * shift;
        ShortVector a = q.lanewise(VectorOperators.LSHR, shift).and(code);
        ShortVector b = q.lanewise(VectorOperators.LSHR, shift + 2).and(code);
        even = even.add(a.mul(ShortVector.fromArray(SHORTS, x, place)));
        odd = odd.add(b.mul(ShortVector.fromArray(SHORTS, x, place + 32)));
      }
      float d = Lanes.half(job.w, at + 64);
      sum = pairSums(even.add(odd)).fma(splat(d * numbers[job.numbersAt + 2 * block]), sum);
      rest += d * numbers[job.numbersAt + 2 * block + 1];
    }
    return Lanes.sum(sum) + rest;
  }
}
