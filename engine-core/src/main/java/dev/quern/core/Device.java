package dev.quern.core;

import java.util.List;

/**
 * What a backend runs on.
 *
 * @param id what to pass to {@link Backends#open}: the provider's name, and a colon and a number
 *     where it has several devices, as in {@code opencl:0}
 * @param name the device's own name
 * @param vendor who made it
 * @param kind cpu, gpu or other
 * @param memoryBytes memory it can hold tensors in
 * @param maxAllocationBytes the largest single allocation
 * @param computeUnits compute units or cores
 * @param driver driver or runtime and its version
 * @param features what kernels can count on, for people to read
 */
public record Device(
    String id,
    String name,
    String vendor,
    Kind kind,
    long memoryBytes,
    long maxAllocationBytes,
    int computeUnits,
    String driver,
    List<String> features) {
  public Device {
    features = List.copyOf(features);
  }

  /** The kind of a device. */
  public enum Kind {
    CPU,
    GPU,
    OTHER
  }
}
