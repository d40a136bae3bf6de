package dev.quern.opencl;

import dev.quern.core.Bindings;
import dev.quern.core.Tensor;
import dev.quern.core.op.Attention;
import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The kernel of {@code launch/decoder.cl} with the memory it keeps from token to token. */
final class DecoderKernel {
  private static final int STATE = DeviceMemory.LEAST_ARENAS;
  private static final int FIRST_ADDRESS = STATE + 1;

  private final OpenDevice device;
  private final DecoderShape shape;
  private final StepEncoder encoder;
  private final long state;
  private final long kernel;
  private final int waveArgument;
  private final List<Tensor> operands;
  private long wave = 1;
  private int arenas;

  /**
   * Builds the kernel and writes the table of addresses.
   *
   * @throws OpenClException if it does not build, or there is no room; nothing is kept
   */
  DecoderKernel(OpenDevice device, DecoderShape shape, StepEncoder encoder) {
    this.device = device;
    this.shape = shape;
    this.encoder = encoder;
    Attention attention = shape.ops().blocks().getFirst().attention();
    operands =
        List.of(
            shape.ops().embed().tokens(),
            attention.sequences(),
            attention.positions(),
            shape.ops().result());
    waveArgument = FIRST_ADDRESS + 2 * operands.size();
    OpenCl cl = device.cl();
    long program = device.program(ProgramText.decoder(shape), BuildOptions.of(device));
    kernel = cl.createKernel(program, "decode");
    long made = 0;
    try {
      made = cl.createBuffer(device.context(), Cl.CL_MEM_READ_WRITE, shape.stateBytes());
      cl.setBuffer(kernel, STATE, made);
      state = made;
      reset();
    } catch (OpenClException e) {
      if (made != 0) {
        cl.releaseBuffer(made);
      }
      cl.releaseKernel(kernel);
      throw e;
    }
  }

  private void reset() {
    device.cl().fill(device.queue(), state, 0, shape.stateBytes(), (byte) 0);
    List<List<@Nullable Tensor>> rows = shape.table();
    long[] table = new long[DecoderShape.ROW * rows.size()];
    for (int row = 0; row < rows.size(); row++) {
      for (int i = 0; i < rows.get(row).size(); i++) {
        Tensor tensor = rows.get(row).get(i);
        table[DecoderShape.ROW * row + i] = tensor == null ? 0 : StepEncoder.address(tensor);
      }
      table[DecoderShape.ROW * row + DecoderShape.FORMATS] = shape.formatsOf(rows.get(row));
    }
    device.write(state, shape.offset("TABLE"), MemorySegment.ofArray(table));
    wave = 1;
  }

  /** Enqueues the token that the bindings name. */
  void launch(Bindings bindings) {
    if (bindings.liveRows(shape.ops().embed().y()) == 0) {
      return;
    }
    if (wave + shape.waves() > 0xffff_ffffL) {
      reset();
    }
    OpenCl cl = device.cl();
    if (arenas != device.memory().arenas()) {
      KernelArguments.setArenas(cl, device.memory(), kernel);
      arenas = device.memory().arenas();
    }
    int argument = FIRST_ADDRESS;
    for (Tensor operand : operands) {
      long address = encoder.address(operand, bindings);
      cl.setInt(kernel, argument++, (int) address);
      cl.setInt(kernel, argument++, (int) (address >>> 32));
    }
    cl.setInt(kernel, waveArgument, (int) wave);
    cl.launch(device.queue(), kernel, (long) shape.units() * shape.items(), shape.items());
    wave += shape.waves();
    device.counters().launches++;
  }

  /** Whether a wait for another group was given up; waits for the queue. */
  boolean faulted() {
    int[] fault = new int[1];
    device.read(state, 0, MemorySegment.ofArray(fault));
    return fault[0] != 0;
  }

  String describe() {
    return "one launch a token, %d work-groups of %d".formatted(shape.units(), shape.items());
  }

  void release() {
    device.cl().releaseKernel(kernel);
    device.cl().releaseBuffer(state);
  }
}
