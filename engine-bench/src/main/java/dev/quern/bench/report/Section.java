package dev.quern.bench.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.bench.report.Results.Operation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.knowm.xchart.internal.chartpart.Chart;

/** The section of the page about one machine: the largest numbers, pictures, tables. */
record Section(Results results) {
  String html() throws IOException {
    StringBuilder section = new StringBuilder();
    section.append(
        "<section>\n<h2>%s</h2>\n<p class=\"from\">%s</p>\n"
            .formatted(
                Table.escape(results.machine()),
                Table.escape(results.provenance().replace("`", ""))));
    section.append(cards());
    if (!results.compared("ProjectionBench").isEmpty()) {
      section.append(figure("Times as fast as scalar Java", Charts::speedUps));
      section.append(figure("Every operation under the ceiling of its device", Charts::roofline));
    }
    section.append(
        figure(
            "Tokens per second: decode (@ depth, × sequences)", charts -> charts.tokens("decode")));
    section.append(figure("Tokens per second: prompt", charts -> charts.tokens("prompt")));
    for (String backend : results.backends()) {
      Optional<JsonNode> profile = results.largestProfile(backend);
      // a step that is one launch has no parts to show
      if (!backend.equals("reference")
          && profile.filter(p -> p.path("steps").size() > 1).isPresent()) {
        section.append(
            figure(
                "Where a decode step goes: %s on %s"
                    .formatted(profile.get().path("model").asText(), backend),
                charts -> charts.step(profile.get())));
      }
    }
    new Tables(results).all().forEach(table -> section.append(table.html()));
    return section.append("</section>\n").toString();
  }

  private String cards() {
    List<String> cards = new ArrayList<>();
    cards.addAll(overReference());
    largestDecode().ifPresent(cards::add);
    cards.addAll(bandwidth());
    peak().ifPresent(cards::add);
    return "<div class=\"cards\">\n" + String.join("", cards) + "</div>\n";
  }

  private List<String> overReference() {
    List<String> cards = new ArrayList<>();
    results
        .compared("ProjectionBench")
        .forEach((what, on) -> {
          Operation reference = on.get("reference");
          Operation cpu = on.get("cpu");
          if (reference != null && cpu != null && what.contains("Q4_K")) {
            cards.add(
                card(
                    Table.times(reference.nanos() / cpu.nanos()),
                    "Q4_K product, Vector API over scalar Java"));
          }
        });
    return cards;
  }

  private Optional<String> largestDecode() {
    return results.models().stream()
        .filter(run -> !run.path("backend").asText().equals("reference"))
        .max(Comparator.comparingDouble(run -> run.path("decode").path("weightBytes").asDouble()))
        .map(run ->
            card(
                Table.number(run.path("decode").path("median").asDouble()) + " tok/s",
                "decode of %s %s on %s"
                    .formatted(
                        run.path("model").asText(),
                        run.path("quant").asText(),
                        run.path("backend").asText())));
  }

  private List<String> bandwidth() {
    List<String> cards = new ArrayList<>();
    for (String backend : results.backends()) {
      results
          .largestProfile(backend)
          .filter(p -> !backend.equals("reference") && p.path("wholeNanos").asDouble() > 0)
          .ifPresent(p ->
              cards.add(
                  card(
                      Table.percent(Results.bandwidthShare(p)),
                      "of measured memory bandwidth in decode of %s, %s"
                          .formatted(p.path("model").asText(), backend))));
    }
    return cards;
  }

  private Optional<String> peak() {
    Optional<Operation> best =
        results.operations().stream()
            .filter(o -> o.question().equals("ProjectionBench") && o.backend().equals("cpu"))
            .max(Comparator.comparingDouble(Operation::gigaflops));
    return best.flatMap(o ->
        results
            .ceiling("cpu")
            .map(c ->
                card(
                    Table.percent(o.gigaflops() / c.gigaflops()),
                    "of measured multiply-add peak, %s, cpu".formatted(o.what()))));
  }

  private static String card(String number, String text) {
    return "<div class=\"card\"><b>%s</b><span>%s</span></div>\n"
        .formatted(Table.escape(number), Table.escape(text));
  }

  private String figure(String title, Function<Charts, Chart<?, ?>> make) throws IOException {
    return ("<figure><figcaption>%s</figcaption><picture><source media=\"(prefers-color-scheme:"
            + " dark)\" srcset=\"%s\"><img alt=\"%s\" src=\"%s\"></picture></figure>\n")
        .formatted(
            Table.escape(title),
            data(make.apply(new Charts(results, Look.DARK))),
            Table.escape(title),
            data(make.apply(new Charts(results, Look.LIGHT))));
  }

  private static String data(Chart<?, ?> chart) throws IOException {
    return "data:image/svg+xml;base64,"
        + Base64.getEncoder().encodeToString(Look.svg(chart).getBytes(StandardCharsets.UTF_8));
  }
}
