package dev.quern.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A table for a page and for a document.
 *
 * @param title what it shows
 * @param note how to read it; may be empty
 * @param columns headings; all but the first are right-aligned
 * @param rows cells
 */
public record Table(String title, String note, List<String> columns, List<List<String>> rows) {
  public Table {
    columns = List.copyOf(columns);
    rows = List.copyOf(rows);
  }

  /** A table without rows yet, to add to. */
  static Builder of(String title, String note, String... columns) {
    return new Builder(title, note, List.of(columns), new ArrayList<>());
  }

  /** Collects rows. */
  record Builder(String title, String note, List<String> columns, List<List<String>> rows) {
    void row(String... cells) {
      rows.add(List.of(cells));
    }

    Table build() {
      return new Table(title, note, columns, rows);
    }
  }

  /** A number with at least three significant digits, or a dash for none. */
  static String number(double value) {
    if (value <= 0 || !Double.isFinite(value)) {
      return "–";
    }
    int digits = (int) Math.max(0, 2 - Math.floor(Math.log10(value)));
    return String.format(Locale.ROOT, "%,." + Math.min(digits, 4) + "f", value);
  }

  /** A ratio such as 12.3×. */
  static String times(double ratio) {
    return ratio <= 0 || !Double.isFinite(ratio) ? "–" : number(ratio) + "×";
  }

  /** A share in percent. */
  static String percent(double share) {
    return share <= 0 || !Double.isFinite(share)
        ? "–"
        : String.format(Locale.ROOT, share < 0.1 ? "%.1f %%" : "%.0f %%", 100 * share);
  }

  /** A time in the unit that suits it. */
  static String time(double nanos) {
    if (nanos < 1e3) {
      return number(nanos) + " ns";
    }
    if (nanos < 1e6) {
      return number(nanos * 1e-3) + " µs";
    }
    return nanos < 1e9 ? number(nanos * 1e-6) + " ms" : number(nanos * 1e-9) + " s";
  }

  /** A median time with the least and the largest. */
  static String spread(double least, double median, double most) {
    return least == most
        ? time(median)
        : "%s (%s to %s)".formatted(time(median), time(least), time(most));
  }

  /** As Markdown. */
  public String markdown() {
    return "### %s%n%n%s| %s |%n|%s%n%s"
        .formatted(
            title,
            note.isEmpty() ? "" : note + "\n\n",
            String.join(" | ", columns),
            columns.stream()
                .map(c -> c.equals(columns.getFirst()) ? "---|" : "---:|")
                .collect(Collectors.joining()),
            rows.stream()
                .map(row -> "| " + String.join(" | ", row) + " |\n")
                .collect(Collectors.joining()));
  }

  /** As HTML. */
  public String html() {
    String head =
        columns.stream().map(c -> "<th>" + escape(c) + "</th>").collect(Collectors.joining());
    String body =
        rows.stream()
            .map(row ->
                row.stream()
                    .map(c -> "<td>" + escape(c) + "</td>")
                    .collect(Collectors.joining("", "<tr>", "</tr>\n")))
            .collect(Collectors.joining());
    return "<h3>%s</h3>%n%s<div class=\"scroll\"><table><thead><tr>%s</tr></thead><tbody>%n%s</tbody></table></div>%n"
        .formatted(
            escape(title), note.isEmpty() ? "" : "<p>" + escape(note) + "</p>\n", head, body);
  }

  static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
