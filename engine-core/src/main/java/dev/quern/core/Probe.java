package dev.quern.core;

import java.util.List;

/** What a provider found when it looked for devices, without opening any. */
public sealed interface Probe {
  /**
   * Something can be opened.
   *
   * @param rank how early {@code auto} tries it, highest first: {@link #GPU}, {@link #VECTOR_CPU},
   *     {@link #COMPUTE_CPU}, {@link #REFERENCE}, a number between them, or {@link #BY_NAME_ONLY}.
   *     What is above {@link #VECTOR_CPU} counts as a device with memory of its own: {@code auto}
   *     also tries it together with the best host
   * @param devices at least one, best first
   */
  record Usable(int rank, List<Device> devices) implements Probe {
    public Usable {
      devices = List.copyOf(devices);
    }
  }

  /**
   * Nothing can be opened.
   *
   * @param reason why and what would help; always shown to the user
   */
  record Unusable(String reason) implements Probe {}

  /** Rank of a discrete or integrated GPU. */
  int GPU = 400;

  /** Rank of vector code on the host. */
  int VECTOR_CPU = 300;

  /** Rank of a compute runtime that runs on the host's processor, such as PoCL. */
  int COMPUTE_CPU = 200;

  /** Rank of the reference backend. */
  int REFERENCE = 100;

  /** Never chosen by {@code auto}. */
  int BY_NAME_ONLY = 0;
}
