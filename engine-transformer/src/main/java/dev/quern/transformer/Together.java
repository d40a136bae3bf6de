package dev.quern.transformer;

import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Steps of several sessions of one model, a row for each.
 *
 * @param runner that of the model
 * @param chunk the most rows of a step
 * @param sessions each once
 */
record Together(Runner runner, int chunk, List<Session> sessions) {
  /**
   * Runs greedy steps; answers the tokens step by step.
   *
   * @param tokens the next token of each session
   */
  int[][] greedy(int[] tokens, int steps) {
    require(tokens, steps);
    int[] next = tokens.clone();
    int[][] chosen = new int[steps][];
    for (int done = 0; done < steps; ) {
      int some = Math.min(Decoder.RUN_AHEAD, steps - done);
      int[] first = next;
      for (int[] step :
          runner.run(this::sync, placed -> placed.decoder().greedyRun(rows(placed, first), some))) {
        saw(next);
        chosen[done++] = step;
        next = step;
      }
    }
    return chosen;
  }

  /** Runs a step; answers the logits of each session. */
  float[][] logits(int[] tokens) {
    require(tokens, 1);
    int[] every = IntStream.range(0, tokens.length).toArray();
    float[][] logits =
        runner.run(this::sync, placed -> placed.decoder().logits(rows(placed, tokens), every));
    saw(tokens);
    return logits;
  }

  private void sync(long now) {
    sessions.forEach(session -> session.sync(now));
  }

  /** The next row of each session, whose history is brought into the cache. */
  private Rows rows(Placed placed, int[] tokens) {
    sessions.forEach(session -> session.feed(placed));
    return new Rows(
        tokens,
        sessions.stream().mapToInt(Session::sequence).toArray(),
        sessions.stream().mapToInt(Session::cached).toArray(),
        Adapters.ofEach(sessions.stream().map(Session::adapters).toList()));
  }

  private void saw(int[] tokens) {
    for (int row = 0; row < tokens.length; row++) {
      sessions.get(row).saw(tokens[row]);
    }
  }

  private void require(int[] tokens, int steps) {
    if (sessions.isEmpty() || sessions.size() != tokens.length || steps < 1) {
      throw new ModelException(
          "step: must have at least one session, a token for each and a step but has %d, %d and %d"
              .formatted(sessions.size(), tokens.length, steps));
    }
    if (sessions.size() > chunk) {
      throw new ModelException(
          "step: sessions must be at most %d, the chunk, but are %d; load the model with"
                  .formatted(chunk, sessions.size())
              + " LoadOptions.withChunk");
    }
    if (new HashSet<>(sessions).size() < sessions.size()) {
      throw new ModelException("step: every session must be there once but one is there twice");
    }
    for (Session session : sessions) {
      if (session.runner() != runner) {
        throw new ModelException(
            "step: every session must be of the model that runs it but one is of another");
      }
      session.requireReady(steps);
    }
    sessions.getFirst().requireKnown(tokens);
  }
}
