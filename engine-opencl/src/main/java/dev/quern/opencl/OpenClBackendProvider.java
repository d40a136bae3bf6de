package dev.quern.opencl;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.BackendProvider;
import dev.quern.core.Device;
import dev.quern.core.OpenOptions;
import dev.quern.core.Probe;
import dev.quern.opencl.binding.FfmOpenCl;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import dev.quern.opencl.binding.OpenClUnavailableException;
import java.util.List;

/** Every OpenCL device: the provider {@code opencl}, through the FFM binding, or another's. */
public final class OpenClBackendProvider implements BackendProvider {
  /** The provider's name. */
  public static final String NAME = "opencl";

  private final String name;
  private final Loader loader;

  /** How a binding is loaded. */
  @FunctionalInterface
  public interface Loader {
    /**
     * Loads the OpenCL library.
     *
     * @throws OpenClUnavailableException if there is none
     */
    OpenCl load() throws OpenClUnavailableException;
  }

  /** Called by the service loader. */
  public OpenClBackendProvider() {
    this(FfmOpenCl::load);
  }

  /** The provider {@code opencl} over another binding. */
  public OpenClBackendProvider(Loader loader) {
    this(NAME, loader);
  }

  /**
   * A provider over another binding.
   *
   * @param name the provider's name; any but {@code opencl} is never chosen by {@code auto}
   */
  public OpenClBackendProvider(String name, Loader loader) {
    this.name = name;
    this.loader = loader;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Probe probe() {
    try {
      List<ClDevice> devices = ClDevice.list(loader.load(), name);
      if (devices.isEmpty()) {
        return new Probe.Unusable(noDevice());
      }
      return new Probe.Usable(rank(devices), devices.stream().map(ClDevice::info).toList());
    } catch (OpenClUnavailableException | OpenClException e) {
      return new Probe.Unusable(String.valueOf(e.getMessage()));
    }
  }

  private int rank(List<ClDevice> devices) {
    if (!name.equals(NAME)) {
      return Probe.BY_NAME_ONLY;
    }
    boolean gpu = devices.stream().anyMatch(d -> d.info().kind() == Device.Kind.GPU);
    return gpu ? Probe.GPU : Probe.COMPUTE_CPU;
  }

  @Override
  public Backend open(OpenOptions options) {
    Settings settings = Settings.DEFAULTS.with(options.settings());
    try {
      OpenCl cl = loader.load();
      Settings.Limits limits = settings.limits();
      ClDevice device =
          choose(ClDevice.list(cl, name), options.device())
              .limited(limits.memory(), limits.maxAllocation());
      return OpenClBackend.open(cl, device, settings, options.cache());
    } catch (OpenClUnavailableException | OpenClException e) {
      throw new BackendException(name + " cannot be opened: " + e.getMessage(), e);
    }
  }

  private ClDevice choose(List<ClDevice> devices, String wanted) {
    if (devices.isEmpty()) {
      throw new BackendException(noDevice());
    }
    if (wanted.isEmpty()) {
      return devices.getFirst();
    }
    return devices.stream()
        .filter(d -> Integer.toString(d.index()).equals(wanted))
        .findFirst()
        .or(() -> devices.stream().filter(d -> d.named(wanted)).findFirst())
        .orElseThrow(() ->
            new BackendException(
                name
                    + ": device must be a number or part of a name of %s but is %s"
                        .formatted(
                            devices.stream().map(OpenClBackendProvider::label).toList(), wanted)));
  }

  private static String label(ClDevice device) {
    return device.index() + " (" + device.info().name() + ")";
  }

  private String noDevice() {
    return name
        + ": the OpenCL library is there but has no usable device; install a GPU driver, or"
        + " for the CPU: apt-get install pocl-opencl-icd";
  }
}
