package dev.quern.cpu;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.BackendProvider;
import dev.quern.core.Device;
import dev.quern.core.HostMemory;
import dev.quern.core.OpenOptions;
import dev.quern.core.Probe;
import java.util.List;

/**
 * The provider {@code cpu}: always usable; with vector code if the JVM was started with {@code
 * --add-modules jdk.incubator.vector}, else scalar.
 *
 * <p>Threads: {@link OpenOptions#threads}, the caller of a submit included; 0 for one per core.
 */
public final class CpuBackendProvider implements BackendProvider {
  /** The provider's name. */
  public static final String NAME = "cpu";

  /** Called by the service loader. */
  public CpuBackendProvider() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Probe probe() {
    return new Probe.Usable(Probe.VECTOR_CPU, List.of(device(KernelSets.best().name())));
  }

  @Override
  public Backend open(OpenOptions options) {
    if (!options.device().isEmpty()) {
      throw new BackendException(
          "cpu: it has one device, so no device must be named but %s is"
              .formatted(options.device()));
    }
    for (String setting : options.settings().keySet()) {
      if (setting.startsWith(NAME + ".")) {
        throw new BackendException(
            "cpu: settings must be known but %s is not; there are none".formatted(setting));
      }
    }
    int threads =
        options.threads() == 0 ? Runtime.getRuntime().availableProcessors() : options.threads();
    return new CpuBackend(KernelSets.open(), threads);
  }

  static Device device(String kernels) {
    Runtime runtime = Runtime.getRuntime();
    return new Device(
        NAME,
        "Java, kernels " + kernels,
        System.getProperty("java.vendor", "unknown"),
        Device.Kind.CPU,
        HostMemory.bytes(),
        Long.MAX_VALUE,
        runtime.availableProcessors(),
        "Java " + Runtime.version(),
        List.of(kernels, System.getProperty("os.arch", "unknown")));
  }
}
