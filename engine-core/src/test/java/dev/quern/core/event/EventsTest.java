package dev.quern.core.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** What backends record is tested with each of them, in the conformance suite. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class EventsTest {
  private static final int STEPS = 1_000_000;

  /** Waits for the compiler, which on a busy machine takes its time. */
  private static final int ROUNDS = 50;

  @Test
  @Order(1)
  void anEventThatNobodyRecordsIsNotMade() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < ROUNDS && least > 0; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      steps();
      least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - before) / STEPS);
    }
    assertThat(least).as("bytes allocated for a step").isZero();
  }

  private static void steps() {
    for (int i = 0; i < STEPS; i++) {
      StepEvent event = new StepEvent();
      event.begin();
      event.end("cpu", "batch", i);
    }
  }

  @Test
  @Order(2)
  void buildsAndFallbacksSayWhatAndWhy() {
    List<RecordedEvent> events = Collections.synchronizedList(new ArrayList<>());
    try (RecordingStream recording = new RecordingStream()) {
      recording.enable("quern.Build");
      recording.enable("quern.Fallback");
      recording.onEvent(events::add);
      recording.startAsync();
      BuildEvent build = new BuildEvent();
      build.begin();
      build.end("opencl", "a program", BuildEvent.Kind.CACHED_PROGRAM);
      FallbackEvent.record("persistent", "stream", "it timed out");
      recording.stop();
    }
    assertThat(events).hasSize(2);
    assertThat(events.getFirst().getString("kind")).isEqualTo("CACHED_PROGRAM");
    assertThat(events.getFirst().getString("what")).isEqualTo("a program");
    assertThat(events.getLast().getString("from")).isEqualTo("persistent");
    assertThat(events.getLast().getString("to")).isEqualTo("stream");
    assertThat(events.getLast().getString("reason")).isEqualTo("it timed out");
  }
}
