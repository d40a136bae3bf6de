package dev.quern.opencl;

/** What {@link dev.quern.core.Statistics} counts. Guarded by the lock of the device. */
final class Counters {
  long adoptedBytes;
  long builds;
  long submits;
  long launches;
  long waits;
  long hostSteps;
  long fallbacks;
  long weightBytesRead;
  long liveBuffers;
  long liveBatches;
}
