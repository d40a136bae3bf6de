package dev.quern.chat;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The only value that a template can change: {@code namespace(a=1)}. */
record Namespace(Map<String, @Nullable Object> fields) {}
