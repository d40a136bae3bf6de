package dev.quern.opencl.jocl;

import dev.quern.core.Backend;
import dev.quern.core.BackendProvider;
import dev.quern.core.OpenOptions;
import dev.quern.core.Probe;
import dev.quern.opencl.OpenClBackendProvider;
import dev.quern.opencl.binding.FfmOpenCl;
import java.util.Optional;

/**
 * The provider {@code opencl-jocl}: the OpenCL backend through JOCL instead of {@code
 * java.lang.foreign}. Chosen by name only; tunables are those of {@code opencl}.
 */
public final class JoclBackendProvider implements BackendProvider {
  /** The provider's name. */
  public static final String NAME = "opencl-jocl";

  private final OpenClBackendProvider provider = new OpenClBackendProvider(NAME, JoclOpenCl::load);

  /** Finds the same devices, without unpacking a library that may not be asked for. */
  private final OpenClBackendProvider finder = new OpenClBackendProvider(NAME, FfmOpenCl::load);

  /** Called by the service loader. */
  public JoclBackendProvider() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Probe probe() {
    Optional<String> missing = JoclLibrary.missing();
    return missing.isPresent() ? new Probe.Unusable(missing.get()) : finder.probe();
  }

  @Override
  public Backend open(OpenOptions options) {
    return provider.open(options);
  }
}
