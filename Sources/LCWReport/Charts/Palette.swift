// SPDX-License-Identifier: Apache-2.0

/// The colours of a page or a chart against one background.
///
/// The series' colours stand at least 3:1 off their background (WCAG 2.2, 1.4.11), and were
/// searched for so that each two stay apart in normal sight, protanopia, deuteranopia and
/// tritanopia. Text stands at least 4.5:1 off.
struct Palette: Sendable {
  var background: String
  /// Behind commands and the heads of tables.
  var surface: String
  var text: String
  /// Axis labels, captions and notes.
  var mutedText: String
  var link: String
  /// Axes and reference lines.
  var axis: String
  /// Grids and the rules of tables.
  var grid: String
  var series: [String]

  static let light = Palette(
    background: "#ffffff", surface: "#f4f5f7", text: "#1b1f24", mutedText: "#565e68",
    link: "#2f4bb8", axis: "#7b838d", grid: "#e3e6ea",
    series: ["#425cc8", "#a8432a", "#158a77", "#6f2c75", "#a86f00", "#2b3036"])

  static let dark = Palette(
    background: "#15181c", surface: "#1e2227", text: "#e8ebee", mutedText: "#a6afb9",
    link: "#93adff", axis: "#858e99", grid: "#2d3238",
    series: ["#6b95ff", "#e8673a", "#8fecc9", "#bd5ca6", "#ecbc27", "#abb0b2"])

  /// Each colour's name as a CSS variable, without the dashes.
  var variables: [(name: String, value: String)] {
    [
      ("background", background), ("surface", surface), ("text", text), ("muted-text", mutedText),
      ("link", link), ("axis", axis), ("grid", grid),
    ] + series.enumerated().map { ("series-\($0.offset + 1)", $0.element) }
  }
}
