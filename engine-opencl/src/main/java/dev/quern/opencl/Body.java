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
 */
record Body(
    String name,
    List<String> libraries,
    String source,
    SortedMap<String, String> macros,
    int scratchBytes) {}
