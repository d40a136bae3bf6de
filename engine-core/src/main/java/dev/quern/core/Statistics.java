package dev.quern.core;

/**
 * Counters of a backend since it was opened, and what it holds now.
 *
 * @param adoptedBytes bytes of weights adopted, as stored in their file
 * @param uploadedBytes bytes of weights copied to a device, again where they were needed again; 0
 *     where they are used in place
 * @param uploadNanos how long the host was busy with that, in nanoseconds; the last few megabytes
 *     may still be under way
 * @param residentBytes bytes of device or host memory held now by weights, buffers and scratch; a
 *     mapped file used in place does not count
 * @param builds programs compiled or loaded
 * @param submits batches submitted
 * @param launches kernel launches, or waves started on host workers
 * @param waits times the host waited for the device
 * @param hostSteps steps run on the host through the reference
 * @param fallbacks times a slower way was taken after a failure
 * @param weightBytesRead bytes of weights that products of submitted batches read: each counts its
 *     weight once, however many rows it serves; an embedding, of which a row is read, does not
 *     count
 * @param liveBuffers buffers allocated or adopted and not closed
 * @param liveBatches batches compiled and not closed
 */
public record Statistics(
    long adoptedBytes,
    long uploadedBytes,
    long uploadNanos,
    long residentBytes,
    long builds,
    long submits,
    long launches,
    long waits,
    long hostSteps,
    long fallbacks,
    long weightBytesRead,
    long liveBuffers,
    long liveBatches) {}
