package dev.quern.core;

/**
 * The service through which backends plug in ({@link java.util.ServiceLoader}). An implementation
 * has a public no-argument constructor that does nothing.
 */
public interface BackendProvider {
  /** The name by which users choose it: lower case, no colon, for example {@code opencl}. */
  String name();

  /** Looks for devices. Never throws, opens no device, and answers within a second. */
  Probe probe();

  /**
   * Opens a device.
   *
   * @throws BackendException if the device does not exist, cannot be opened, or fails its self-test
   */
  Backend open(OpenOptions options);
}
