package dev.quern.core;
/** x. */
public enum Precision { EXACT, FAST }
