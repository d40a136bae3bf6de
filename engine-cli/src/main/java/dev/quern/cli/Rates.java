package dev.quern.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Rates of repeated measurements, in tokens per second. */
record Rates(double median, double min, double max) {
  static Rates of(List<Double> measured) {
    List<Double> sorted = measured.stream().sorted().toList();
    int middle = sorted.size() / 2;
    double median =
        sorted.size() % 2 == 1
            ? sorted.get(middle)
            : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    return new Rates(median, sorted.getFirst(), sorted.getLast());
  }

  /** Adds the three numbers to fields of a JSON object. */
  Map<String, Object> addTo(Map<String, Object> fields) {
    Map<String, Object> all = new LinkedHashMap<>(fields);
    all.put("median", median);
    all.put("min", min);
    all.put("max", max);
    return all;
  }
}
