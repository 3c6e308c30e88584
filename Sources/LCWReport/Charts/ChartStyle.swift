// SPDX-License-Identifier: Apache-2.0

/// The style sheet of charts.
enum ChartStyle {
  /// Size of most text in a chart, in its own units.
  static let fontSize = 12.5
  /// Between the baselines of two lines of text.
  static let lineHeight = 17.0
  /// The font of charts outside a page; a page has its own.
  static let fontFamily = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"

  /// Rules for a chart inside a page, whose colours are the page's variables.
  static let pageRules = rules { "var(--\($0))" }

  /// Rules for a chart in a file of its own: plain colours, since programs that turn SVG into PDF
  /// don't know CSS variables.
  static let fileRules: String = {
    let colors = Dictionary(
      Palette.light.variables.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    return rules { colors[$0] ?? "currentColor" }
  }()

  private static func rules(_ color: (String) -> String) -> String {
    var lines = [
      ".chart text{font-size:\(fontSize)px;fill:\(color("text"))}",
      ".chart .muted{fill:\(color("muted-text"))}",
      ".chart .head{font-weight:600;font-size:15px}",
      ".chart .panel-title{font-weight:600}",
      ".chart .halo{stroke:\(color("background"));stroke-width:3.5px;stroke-linejoin:round;"
        + "paint-order:stroke}",
      ".chart .ground{fill:\(color("background"))}",
      ".chart .grid{stroke:\(color("grid"));stroke-width:1;fill:none}",
      ".chart .axis{stroke:\(color("axis"));stroke-width:1;fill:none}",
      ".chart .reference{stroke:\(color("axis"));stroke-width:1.25;stroke-dasharray:2 3;fill:none}",
      ".chart .boundary{stroke:\(color("axis"));stroke-width:1;stroke-opacity:.55;fill:none}",
      ".chart .leader{stroke:\(color("axis"));stroke-width:.75;fill:none}",
      ".chart .line{fill:none;stroke-width:1.75;stroke-linejoin:round}",
      ".chart .dots{fill:none;stroke-width:2.2;stroke-opacity:.75}",
      ".chart .marker{stroke:\(color("background"));stroke-width:1}",
      ".chart .ring{fill:\(color("background"));stroke-width:2}",
      ".chart .band{stroke:none;fill-opacity:.16}",
      ".chart .place{fill:transparent}",
    ]
    for index in 1...SeriesStyle.colorCount {
      let value = color("series-\(index)")
      lines.append(".chart .s\(index){stroke:\(value)}.chart .f\(index){fill:\(value)}")
    }
    return lines.joined(separator: "\n")
  }
}
