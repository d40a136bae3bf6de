package dev.quern.opencl;

/** What {@link dev.quern.core.Statistics} counts. Guarded by the lock of the device. */
final class Counters {
  long adoptedBytes;
  long uploadedBytes;
  long uploadNanos;
  long builds;
  long submits;
  long launches;
  long waits;
  long hostSteps;
  long fallbacks;
  long weightBytesRead;
  long liveBuffers;
  long liveBatches;

  /** Forgets what was done so far; what lives is not touched. */
  void reset() {
    adoptedBytes = 0;
    uploadedBytes = 0;
    uploadNanos = 0;
    builds = 0;
    submits = 0;
    launches = 0;
    waits = 0;
    hostSteps = 0;
    fallbacks = 0;
    weightBytesRead = 0;
  }
}
