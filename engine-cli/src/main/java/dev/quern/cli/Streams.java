package dev.quern.cli;

import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the command reads and writes, all of it UTF-8 whatever the machine's encoding.
 *
 * @param in standard input
 * @param out results, and nothing else
 * @param err messages, speed, progress
 * @param terminal whether a person watches {@code err}
 */
record Streams(InputStream in, PrintStream out, PrintStream err, boolean terminal) {
  /** Those of the process. */
  static Streams standard() {
    return new Streams(
        new FileInputStream(FileDescriptor.in),
        utf8(FileDescriptor.out),
        utf8(FileDescriptor.err),
        isErrTerminal());
  }

  private static PrintStream utf8(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), false, StandardCharsets.UTF_8);
  }

  /** Java cannot ask about standard error alone: the launcher says, or Linux, or the console. */
  private static boolean isErrTerminal() {
    if (Boolean.getBoolean(Terminal.ERASE)) {
      return true;
    }
    Path link = Path.of("/proc/self/fd/2");
    try {
      if (Files.isSymbolicLink(link)) {
        String target = Files.readSymbolicLink(link).toString();
        return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
      }
    } catch (IOException e) {
      return false;
    }
    return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
  }

  /** Prints a line to standard error at once. */
  void say(String line) {
    err.println(line);
    err.flush();
  }
}
