package dev.quern.opencl;

import dev.quern.core.event.BuildEvent;
import dev.quern.core.event.Events;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Builds programs, keeping their binaries in a folder. The name of an entry is a digest of device,
 * driver, platform, options and source; its content is the digest of the binary, then the binary.
 * An entry that is damaged, or that the driver rejects, is logged and built anew.
 *
 * <p>A source with {@link NvidiaPtx#MARK} is built twice: its own binary is the text of the second.
 */
final class ProgramCache {
  private static final System.Logger LOG = System.getLogger(ProgramCache.class.getName());
  private static final int DIGEST_BYTES = 32;

  private final OpenCl cl;
  private final ClDevice device;
  private final long context;
  private final @Nullable Path folder;

  ProgramCache(OpenCl cl, ClDevice device, long context, @Nullable Path folder) {
    this.cl = cl;
    this.device = device;
    this.context = context;
    this.folder = folder;
  }

  /** Returns a built program, which the caller releases. */
  long build(String source, String options) {
    if (cl instanceof DryRunOpenCl) {
      return buildSource(source, options); // which builds nothing, so there is no event either
    }
    BuildEvent event = Events.begin(BuildEvent::new);
    if (folder == null) {
      long program = buildSource(source, options);
      end(event, BuildEvent.Kind.PROGRAM);
      return program;
    }
    Path entry = folder.resolve(key(source, options) + ".clbin");
    long cached = load(entry, options);
    if (cached != 0) {
      end(event, BuildEvent.Kind.CACHED_PROGRAM);
      return cached;
    }
    long program = buildSource(source, options);
    end(event, BuildEvent.Kind.PROGRAM);
    try {
      store(entry, cl.binary(program));
    } catch (OpenClException e) {
      LOG.log(Level.WARNING, "{0} is not cached: {1}", entry, e.getMessage());
    }
    return program;
  }

  private void end(@Nullable BuildEvent event, BuildEvent.Kind kind) {
    if (event != null) {
      event.end("opencl", device.info().name(), kind);
    }
  }

  /** Whether a fact about this device and driver was remembered. */
  boolean remembers(String fact) {
    return folder != null && Files.exists(folder.resolve(key(fact, "") + ".ok"));
  }

  /** Remembers a fact about this device and driver. */
  void remember(String fact) {
    if (folder != null) {
      write(folder.resolve(key(fact, "") + ".ok"), new byte[0]);
    }
  }

  private long buildSource(String source, String options) {
    long program = built(cl.createProgram(context, source), options);
    if (!source.contains(NvidiaPtx.MARK) || cl instanceof DryRunOpenCl) {
      return program;
    }
    try {
      byte[] ptx = NvidiaPtx.retargeted(cl.binary(program));
      return built(cl.createProgram(context, device.handle(), ptx), options);
    } finally {
      cl.releaseProgram(program);
    }
  }

  private long built(long program, String options) {
    try {
      cl.build(program, device.handle(), options);
      return program;
    } catch (OpenClException e) {
      cl.releaseProgram(program);
      throw e;
    }
  }

  private long load(Path entry, String options) {
    Optional<byte[]> binary = read(entry);
    if (binary.isEmpty()) {
      return 0;
    }
    long program = 0;
    try {
      program = cl.createProgram(context, device.handle(), binary.get());
      cl.build(program, device.handle(), options);
      return program;
    } catch (OpenClException e) {
      LOG.log(Level.WARNING, "cached program {0} is built anew: {1}", entry, e.getMessage());
      if (program != 0) {
        cl.releaseProgram(program);
      }
      return 0;
    }
  }

  private static Optional<byte[]> read(Path entry) {
    try {
      if (!Files.exists(entry)) {
        return Optional.empty();
      }
      byte[] bytes = Files.readAllBytes(entry);
      byte[] binary = Arrays.copyOfRange(bytes, Math.min(DIGEST_BYTES, bytes.length), bytes.length);
      byte[] digest = Arrays.copyOf(bytes, DIGEST_BYTES);
      if (binary.length > 0 && Arrays.equals(digest, sha256().digest(binary))) {
        return Optional.of(binary);
      }
      LOG.log(Level.WARNING, "cached program {0} is built anew: it is damaged", entry);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "cached program {0} is built anew: {1}", entry, e.toString());
    }
    return Optional.empty();
  }

  private static void store(Path entry, byte[] binary) {
    if (binary.length > 0) {
      byte[] content = Arrays.copyOf(sha256().digest(binary), DIGEST_BYTES + binary.length);
      System.arraycopy(binary, 0, content, DIGEST_BYTES, binary.length);
      write(entry, content);
    }
  }

  /** Another process sees the whole content or none: a temporary file is moved into place. */
  private static void write(Path entry, byte[] content) {
    try {
      Path folder = entry.toAbsolutePath().getParent();
      Files.createDirectories(folder);
      Path temporary = Files.createTempFile(folder, "new", ".tmp");
      Files.write(temporary, content);
      Files.move(temporary, entry, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "{0} is not cached: {1}", entry, e.toString());
    }
  }

  private String key(String source, String options) {
    MessageDigest digest = sha256();
    for (String part :
        new String[] {
          device.info().name(), device.info().driver(), device.platformVersion(), options, source
        }) {
      digest.update(part.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new LinkageError("every Java platform has SHA-256", e);
    }
  }
}
