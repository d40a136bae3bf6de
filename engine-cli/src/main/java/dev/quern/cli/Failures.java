package dev.quern.cli;

import dev.quern.core.BackendException;
import dev.quern.core.InsufficientMemoryException;
import dev.quern.gguf.GgufException;
import dev.quern.tokenizer.TokenizerException;
import dev.quern.transformer.ChatTemplateException;
import dev.quern.transformer.ModelException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Errors as one line {@code quern: …} and an exit status: 2 for wrong usage, 1 for a failure. Below
 * the refusal of a model that does not fit a device is its plan.
 */
final class Failures {
  static final int FAILURE = 1;
  static final int USAGE = 2;

  private final PrintStream err;

  Failures(PrintStream err) {
    this.err = err;
  }

  void install(CommandLine command) {
    command.setParameterExceptionHandler((e, arguments) -> usage(e, arguments));
    command.setExecutionExceptionHandler((e, line, parsed) -> failed(e, isVerbose(parsed)));
  }

  private static boolean isVerbose(CommandLine.ParseResult parsed) {
    return parsed.asCommandLineList().stream()
        .anyMatch(line -> line.getParseResult().hasMatchedOption("--verbose"));
  }

  private int usage(ParameterException e, String[] arguments) {
    String message = String.valueOf(e.getMessage()).replaceFirst("^Error: ", "");
    if (e instanceof UnmatchedArgumentException unmatched
        && unmatched.getUnmatched().getFirst().startsWith("-")) {
      message =
          "option: must be one that %s knows but is %s"
              .formatted(
                  e.getCommandLine().getCommandSpec().qualifiedName(),
                  unmatched.getUnmatched().getFirst());
    }
    report(
        message + "; see " + e.getCommandLine().getCommandSpec().qualifiedName() + " --help",
        e,
        List.of(arguments).contains("--verbose"));
    return USAGE;
  }

  private int failed(Exception e, boolean verbose) {
    report(describe(e), e, verbose);
    if (e instanceof InsufficientMemoryException refused) {
      refused.plan().ifPresent(plan -> plan.lines().forEach(line -> err.println("  " + line)));
      err.flush();
    }
    return e instanceof UsageException ? USAGE : FAILURE;
  }

  /** Reports what picocli lets through, such as lack of memory. */
  int failed(Error e, boolean verbose) {
    report(
        e instanceof OutOfMemoryError
            ? "memory: the command needs more than the JVM has (%s); raise -Xmx or use a smaller"
                    .formatted(e.getMessage())
                + " model or context"
            : "internal error: " + e,
        e,
        verbose);
    return FAILURE;
  }

  private void report(String message, Throwable e, boolean verbose) {
    err.println("quern: " + oneLine(message));
    if (verbose) {
      e.printStackTrace(err);
    }
    err.flush();
  }

  private static String describe(Exception e) {
    String message = String.valueOf(e.getMessage());
    return switch (e) {
      case UsageException _,
          CommandException _,
          BackendException _,
          GgufException _,
          ModelException _,
          TokenizerException _,
          ChatTemplateException _ ->
          message;
      case NoSuchFileException missing ->
          missing.getFile() + ": must be a file that exists but does not";
      case AccessDeniedException denied -> denied.getFile() + ": must be accessible but is not";
      case FileSystemException failed -> failed.getFile() + ": " + failed.getReason();
      case IOException _ -> message;
      case IllegalArgumentException _ -> message;
      default -> "internal error: " + e + "; --verbose shows where";
    };
  }

  private static String oneLine(String message) {
    return message.strip().replaceAll("\\s*\\R\\s*", "; ");
  }
}
