package dev.quern.bench.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.bench.report.Results.Ceiling;
import dev.quern.bench.report.Results.Operation;
import java.awt.BasicStroke;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.AnnotationText;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.HorizontalBarChart;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The pictures of a report. */
final class Charts {
  private static final int WIDTH = 960;
  private static final int HEIGHT = 420;
  private static final int MOST_BARS = 9;

  /** Names of more letters in all do not fit beside each other. */
  private static final int MOST_LETTERS = 100;

  /** Points with intensities closer than this ratio have names that would overlap. */
  private static final double NEAR = 2.4;

  private final Results results;
  private final Look look;

  Charts(Results results, Look look) {
    this.results = results;
    this.look = look;
  }

  /** How many times faster than the reference each operation is. */
  CategoryChart speedUps() {
    Map<String, Map<String, Double>> bars = new LinkedHashMap<>();
    results
        .compared("ProjectionBench", "ElementwiseBench", "AttentionBench")
        .values()
        .forEach(on -> {
          Operation reference = on.get("reference");
          if (reference != null && !reference.parameter("precision").equals("EXACT")) {
            on.forEach((backend, operation) -> {
              if (!backend.equals("reference")) {
                bars.computeIfAbsent(backend, b -> new LinkedHashMap<>())
                    .put(
                        operation.label().replaceFirst(" ×1$", " product"),
                        reference.nanos() / operation.nanos());
              }
            });
          }
        });
    CategoryChart chart = bars(bars, "times as fast as scalar Java");
    chart.setTitle(results.machine());
    chart.getStyler().setChartTitleVisible(true);
    return chart;
  }

  /** Tokens per second of each model, of {@code prompt} or {@code decode}. */
  CategoryChart tokens(String of) {
    Map<String, Map<String, Double>> bars = new LinkedHashMap<>();
    for (JsonNode run : results.models()) {
      bars.computeIfAbsent(run.path("backend").asText(), b -> new LinkedHashMap<>())
          .putIfAbsent(
              of.equals("prompt") ? prompt(run) : decode(run),
              run.path(of).path("median").asDouble());
    }
    return bars(bars, "tokens per second");
  }

  private static String decode(JsonNode run) {
    String name = Results.name(run).replaceFirst("(fable[^,]*?)(-q4_k_m)?, [^,]*", "$1");
    return name.replaceFirst(", (\\d+) sequences", " ×$1")
        .replaceFirst(", depth ", " @")
        .replace(",", "");
  }

  /** Runs at several depths share a prompt. */
  private static String prompt(JsonNode run) {
    String model = decode(run).replaceFirst(" [@×].*", "");
    return "%s, %s tokens".formatted(model, run.path("prompt").path("tokens").asText());
  }

  /** Bars of several backends side by side over a logarithmic axis. */
  private CategoryChart bars(Map<String, Map<String, Double>> bars, String title) {
    CategoryChart chart = new CategoryChart(WIDTH, HEIGHT);
    look.dress(chart.getStyler());
    chart.setYAxisTitle(title);
    List<String> names =
        bars.values().stream().flatMap(of -> of.keySet().stream()).distinct().toList();
    bars.forEach((backend, of) -> {
      List<@Nullable Double> values = new ArrayList<>();
      names.forEach(name -> values.add(of.get(name)));
      chart.addSeries(backend, names, values).setFillColor(look.backend(backend));
    });
    double least =
        bars.values().stream()
            .flatMap(of -> of.values().stream())
            .mapToDouble(v -> v)
            .min()
            .orElse(1);
    double most =
        bars.values().stream()
            .flatMap(of -> of.values().stream())
            .mapToDouble(v -> v)
            .max()
            .orElse(10);
    if (names.stream().mapToInt(String::length).sum() > MOST_LETTERS) {
      chart.getStyler().setXAxisLabelRotation(18);
    }
    chart.getStyler().setYAxisLogarithmic(true);
    chart.getStyler().setYAxisLogarithmicDecadeOnly(true);
    chart.getStyler().setYAxisMin(Math.pow(10, Math.floor(Math.log10(Math.min(1, least)))));
    chart.getStyler().setYAxisMax(Math.pow(10, Math.ceil(Math.log10(most * 1.3))));
    chart.getStyler().setPlotGridLinesVisible(false);
    chart.getStyler().setAvailableSpaceFill(0.72);
    chart.getStyler().setLabelsVisible(true);
    chart.getStyler().setLabelsPosition(1.06);
    chart.getStyler().setLabelsFontColorAutomaticEnabled(false);
    chart.getStyler().setLabelsFontColor(look.text);
    chart.getStyler().setLabelsFont(chart.getStyler().getAxisTickLabelsFont().deriveFont(11f));
    chart.getStyler().setYAxisTickLabelsFormattingFunction(Charts::plain);
    return chart;
  }

  /** Rates of operations under the ceilings of their devices. */
  XYChart roofline() {
    XYChart chart = new XYChart(WIDTH, HEIGHT + 60);
    look.dress(chart.getStyler());
    chart.setXAxisTitle("float32 operations for each byte that must move");
    chart.setYAxisTitle("GFLOP/s");
    List<Operation> products =
        results.operations().stream()
            .filter(o -> o.flops() > 0 && o.bytes() > 0 && !o.backend().equals("reference"))
            .filter(o ->
                !o.question().equals("BatchingBench") && !o.question().equals("ResidencyBench"))
            .toList();
    double least = 1;
    double most = 10;
    for (String backend : products.stream().map(Operation::backend).distinct().toList()) {
      List<Operation> own = products.stream().filter(o -> o.backend().equals(backend)).toList();
      XYSeries points =
          chart.addSeries(
              backend,
              own.stream().mapToDouble(Charts::intensity).toArray(),
              own.stream().mapToDouble(Operation::gigaflops).toArray());
      points.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
      points.setMarkerColor(look.backend(backend)).setMarker(SeriesMarkers.CIRCLE);
      // above the points of the first backend, below those of the others
      annotate(chart, own, backend.equals(products.getFirst().backend()) ? 1.3 : 0.68);
      least = Math.min(least, own.stream().mapToDouble(Operation::gigaflops).min().orElse(1));
      most = Math.max(most, own.stream().mapToDouble(Operation::gigaflops).max().orElse(1));
      Ceiling ceiling = results.ceiling(backend).orElse(new Ceiling(0, 0));
      if (ceiling.gigaflops() > 0) {
        double knee = ceiling.gigaflops() / ceiling.gigabytesPerSecond();
        double[] x = {0.1, knee, 1000};
        double[] y =
            Arrays.stream(x)
                .map(i -> Math.min(ceiling.gigaflops(), i * ceiling.gigabytesPerSecond()))
                .toArray();
        XYSeries line = chart.addSeries("ceiling of " + backend, x, y);
        line.setMarker(SeriesMarkers.NONE);
        line.setLineColor(look.backend(backend)).setLineStyle(new BasicStroke(2));
        most = Math.max(most, ceiling.gigaflops());
      }
    }
    chart.getStyler().setMarkerSize(9);
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setYAxisLogarithmic(true);
    chart.getStyler().setXAxisLogarithmicDecadeOnly(true);
    chart.getStyler().setYAxisLogarithmicDecadeOnly(true);
    chart.getStyler().setXAxisMin(0.1);
    chart.getStyler().setXAxisMax(1000.0);
    chart.getStyler().setYAxisMin(Math.pow(10, Math.floor(Math.log10(least))));
    chart.getStyler().setYAxisMax(Math.pow(10, Math.ceil(Math.log10(most * 1.2))));
    chart.getStyler().setXAxisTickLabelsFormattingFunction(Charts::plain);
    chart.getStyler().setYAxisTickLabelsFormattingFunction(Charts::plain);
    return chart;
  }

  /** Names points; a name that would lie over its neighbour goes one line further. */
  private static void annotate(XYChart chart, List<Operation> points, double line) {
    List<Operation> byIntensity =
        points.stream().sorted(Comparator.comparingDouble(Charts::intensity)).toList();
    double before = 0;
    int lines = 1;
    for (Operation point : byIntensity) {
      lines = intensity(point) < before * NEAR ? 3 - lines : 1;
      before = intensity(point);
      double y = point.gigaflops() * Math.pow(line, lines);
      chart.addAnnotation(new AnnotationText(point.label(), before, y, false));
    }
  }

  private static double intensity(Operation operation) {
    return operation.flops() / operation.bytes();
  }

  /** Where the time of a decode step goes. */
  HorizontalBarChart step(JsonNode profile) {
    HorizontalBarChart chart = new HorizontalBarChart(WIDTH, HEIGHT);
    look.dress(chart.getStyler());
    chart.setXAxisTitle("milliseconds, all layers together");
    List<JsonNode> steps =
        StreamSupport.stream(profile.path("steps").spliterator(), false).limit(MOST_BARS).toList();
    List<String> names = new ArrayList<>(steps.stream().map(Results::step).toList());
    List<Double> times =
        new ArrayList<>(
            steps.stream().map(step -> rounded(step.path("nanos").asDouble() * 1e-6)).toList());
    double rest =
        StreamSupport.stream(profile.path("steps").spliterator(), false)
            .skip(MOST_BARS)
            .mapToDouble(step -> step.path("nanos").asDouble() * 1e-6)
            .sum();
    if (rest > 0) {
      names.add("everything else");
      times.add(rounded(rest));
    }
    chart
        .addSeries(profile.path("backend").asText(), times, names)
        .setFillColor(look.backend(profile.path("backend").asText()));
    chart.getStyler().setLegendVisible(false);
    chart.getStyler().setXAxisMaxLabelCount(steps.size() + 1);
    chart.getStyler().setAvailableSpaceFill(0.66);
    chart.getStyler().setPlotGridHorizontalLinesVisible(false);
    chart.getStyler().setLabelsVisible(true);
    chart.getStyler().setLabelsPosition(1.06);
    chart.getStyler().setLabelsFontColorAutomaticEnabled(false);
    chart.getStyler().setLabelsFontColor(look.text);
    return chart;
  }

  private static double rounded(double value) {
    return Double.parseDouble(String.format(Locale.ROOT, "%.3g", value));
  }

  private static String plain(double value) {
    if (value >= 10) {
      return String.format(Locale.ROOT, "%,.0f", value);
    }
    return new BigDecimal(value).round(new MathContext(2)).stripTrailingZeros().toPlainString();
  }
}
