package dev.quern.opencl;

import java.util.List;
import java.util.SortedMap;

/**
 * A kernel body: an inline function made from one source by macros.
 *
 * @param name name of the function
 * @param libraries sources it needs before its own, each included once a program
 * @param source its own source
 * @param macros what the source is compiled with, besides {@code BODY}
 * @param scratchBytes local memory it uses
 * @param group work-items that its work-groups must have; 0 if it takes any number
 */
record Body(
    String name,
    List<String> libraries,
    String source,
    SortedMap<String, String> macros,
    int scratchBytes,
    int group) {
  /** A body for work-groups of any size. */
  Body(
      String name,
      List<String> libraries,
      String source,
      SortedMap<String, String> macros,
      int scratchBytes) {
    this(name, libraries, source, macros, scratchBytes, 0);
  }

  /** Whether steps of both may be one launch: they do the same, with work-groups of one size. */
  boolean joins(Body other) {
    return equals(other) || (group != 0 && group == other.group && source.equals(other.source));
  }

  /** The work-items of its work-groups where others have those of {@code geometry}. */
  int group(Geometry geometry) {
    return group == 0 ? geometry.group() : group;
  }
}
