package dev.quern.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Runs sequences of different lengths together, for the states after the final norm. */
final class HiddenPass {
  private final LanguageModel model;
  private final Runner runner;

  HiddenPass(LanguageModel model, Runner runner) {
    this.model = model;
    this.runner = runner;
  }

  List<float[][]> run(List<int[]> sequences, List<List<LoraAdapter>> adapters) {
    if (sequences.size() != adapters.size()) {
      throw new ModelException(
          "forward: every sequence must have its list of adapters but %d have %d"
              .formatted(sequences.size(), adapters.size()));
    }
    sequences.forEach(this::check);
    adapters.forEach(own -> own.forEach(adapter -> adapter.requireUsable(runner)));
    List<float[][]> states = new ArrayList<>();
    for (int from = 0; from < sequences.size(); ) {
      List<Integer> free = new ArrayList<>();
      try {
        free.add(model.sequences().acquire());
        while (free.size() < sequences.size() - from && model.sequences().hasFree()) {
          free.add(model.sequences().acquire());
        }
        int to = from + free.size();
        states.addAll(together(sequences.subList(from, to), adapters.subList(from, to), free));
        from = to;
      } finally {
        free.forEach(model.sequences()::release);
      }
    }
    return states;
  }

  private void check(int[] tokens) {
    if (tokens.length == 0 || tokens.length > model.context()) {
      throw new ModelException(
          "forward: tokens must be 1 to %d, the context, but are %d"
              .formatted(model.context(), tokens.length));
    }
    for (int token : tokens) {
      if (token < 0 || token >= model.vocabulary()) {
        throw new ModelException(
            "token: must be between 0 and %d but is %d".formatted(model.vocabulary() - 1, token));
      }
    }
  }

  /** All tokens one after the other, cut into steps wherever one is full. */
  private List<float[][]> together(
      List<int[]> sequences, List<List<LoraAdapter>> adapters, List<Integer> places) {
    int total = sequences.stream().mapToInt(tokens -> tokens.length).sum();
    int[] tokens = new int[total];
    int[] rowSequences = new int[total];
    int[] positions = new int[total];
    List<List<LoraAdapter>> rowAdapters = new ArrayList<>();
    int row = 0;
    for (int i = 0; i < sequences.size(); i++) {
      for (int position = 0; position < sequences.get(i).length; position++) {
        tokens[row] = sequences.get(i)[position];
        rowSequences[row] = places.get(i);
        positions[row++] = position;
        rowAdapters.add(adapters.get(i));
      }
    }
    Rows rows = new Rows(tokens, rowSequences, positions, Adapters.ofEach(rowAdapters));
    return split(states(rows), sequences);
  }

  private float[][] states(Rows rows) {
    int total = rows.count();
    float[][] all = new float[total][];
    Done done = new Done();
    while (done.rows < total) {
      runner.run(
          done::sync,
          placed -> {
            int to = Math.min(total, done.rows + placed.decoder().chunk());
            float[][] some = placed.decoder().hidden(rows.between(done.rows, to));
            System.arraycopy(some, 0, all, done.rows, some.length);
            done.rows = to;
            return to;
          });
    }
    return all;
  }

  /** How many rows are in the cache. */
  private static final class Done {
    private long epoch;
    private int rows;

    private void sync(long now) {
      rows = now == epoch ? rows : 0;
      epoch = now;
    }
  }

  private static List<float[][]> split(float[][] all, List<int[]> sequences) {
    List<float[][]> states = new ArrayList<>();
    int from = 0;
    for (int[] sequence : sequences) {
      states.add(Arrays.copyOfRange(all, from, from + sequence.length));
      from += sequence.length;
    }
    return states;
  }
}
