package dev.quern.opencl;

/**
 * A range of device memory.
 *
 * @param arena which arena
 * @param offset first byte in it
 * @param bytes size
 */
record Region(int arena, long offset, long bytes) {}
