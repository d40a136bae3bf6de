package dev.quern.bench.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;

/** Colours and fonts of charts, on a light or on a dark page. */
enum Look {
  LIGHT("#ffffff", "#1d2129", "#6b7280", "#e5e7eb"),
  DARK("#15181e", "#e6e8eb", "#9aa3b2", "#2c323c");

  private static final String FAMILY = Font.SANS_SERIF;

  final Color page;
  final Color text;
  final Color muted;
  final Color grid;

  Look(String page, String text, String muted, String grid) {
    this.page = Color.decode(page);
    this.text = Color.decode(text);
    this.muted = Color.decode(muted);
    this.grid = Color.decode(grid);
  }

  /** The colour of a backend, the same in every chart. */
  Color backend(String name) {
    boolean light = this == LIGHT;
    return Color.decode(
        switch (name) {
          case "cpu" -> light ? "#2563eb" : "#60a5fa";
          case "opencl" -> light ? "#ea7317" : "#fb9b4b";
          case "opencl-jocl" -> light ? "#9333ea" : "#c084fc";
          case "reference" -> light ? "#9aa1ac" : "#717a88";
          default -> light ? "#0f9d76" : "#4ade9f";
        });
  }

  /** Dresses a chart. */
  void dress(AxesChartStyler style) {
    style.setChartBackgroundColor(page);
    style.setPlotBackgroundColor(page);
    style.setPlotBorderVisible(false);
    style.setChartFontColor(text);
    style.setChartTitleVisible(false);
    style.setBaseFont(new Font(FAMILY, Font.PLAIN, 13));
    style.setLegendBackgroundColor(page);
    style.setLegendBorderColor(page);
    style.setLegendFont(new Font(FAMILY, Font.PLAIN, 14));
    style.setLegendPosition(Styler.LegendPosition.OutsideS);
    style.setLegendLayout(Styler.LegendLayout.Horizontal);
    style.setAnnotationTextFont(new Font(FAMILY, Font.PLAIN, 12));
    style.setAnnotationTextFontColor(muted);
    style.setAxisTickLabelsFont(new Font(FAMILY, Font.PLAIN, 13));
    style.setAxisTickLabelsColor(muted);
    style.setAxisTitleFont(new Font(FAMILY, Font.PLAIN, 13));
    style.setXAxisTitleColor(muted);
    style.setYAxisTitleColor(muted);
    style.setXAxisTickLabelsColor(muted);
    style.setYAxisTickLabelsColor(muted);
    style.setAxisTicksLineVisible(false);
    style.setAxisTicksMarksVisible(false);
    style.setPlotGridLinesColor(grid);
    style.setPlotGridLinesStroke(new BasicStroke(1));
    style.setChartPadding(12);
    style.setPlotMargin(0);
    style.setAntiAlias(true);
  }

  /** A chart as SVG. */
  static String svg(Chart<?, ?> chart) throws IOException {
    return new String(ChartEncoder.getBytes(chart, "svg"), StandardCharsets.UTF_8);
  }
}
