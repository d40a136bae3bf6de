/**
 * The backend SPI and its vocabulary.
 *
 * <p>A model records what it wants as a {@link dev.quern.core.CommandBatch} of operation records; a
 * {@link dev.quern.core.Backend} sees the whole batch before it runs. Tensors are views of storage
 * that a backend owns; a {@link dev.quern.core.Slot} is a hole that is filled when a compiled batch
 * is submitted.
 */
@NullMarked
package dev.quern.core;

import org.jspecify.annotations.NullMarked;
