package dev.quern.opencl;

/** Checks an opened device against the reference. */
final class SelfTest {
  private SelfTest() {}

  static void run(OpenClBackend backend) {
    if (backend.closed()) {
      throw new IllegalStateException("the backend is closed");
    }
  }
}
