package dev.quern.testkit;

/** Closing without checked exceptions. */
final class Closing {
  private Closing() {}

  static void close(AutoCloseable resource) {
    try {
      resource.close();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("close failed: " + resource, e);
    }
  }
}
