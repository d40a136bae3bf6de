package dev.quern.chat;

/**
 * The value of a name that is not defined: prints as nothing, is false and empty, and any other use
 * is an error that names it.
 *
 * @param problem what that error says
 */
record Undefined(String problem) {
  static Undefined name(String name) {
    return new Undefined("'" + name + "' is undefined");
  }

  PyException error() {
    return new PyException(problem);
  }
}
