package dev.quern.cli;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version that Maven wrote into this module, and the Java it runs on. */
final class QuernVersion implements IVersionProvider {

  /** Made by picocli. */
  QuernVersion() {}

  @Override
  public String[] getVersion() throws IOException {
    return new String[] {
      "quern %s (Java %s, %s)".formatted(read(), Runtime.version(), System.getProperty("os.arch"))
    };
  }

  static String read() throws IOException {
    try (InputStream stream = QuernVersion.class.getResourceAsStream("quern.properties")) {
      if (stream == null) {
        throw new FileNotFoundException("version: quern.properties must be packaged but is not");
      }
      Properties properties = new Properties();
      properties.load(stream);
      return properties.getProperty("version", "unknown");
    }
  }
}
