package dev.quern.chat;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code keys()}, {@code values()} and {@code items()} of a mapping return.
 *
 * @param name as Python prints it
 * @param items keys, values, or tuples of both
 */
record DictView(String name, List<@Nullable Object> items) {}
