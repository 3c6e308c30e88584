// SPDX-License-Identifier: Apache-2.0

/// Elements of an SVG, written one after the other.
struct SVG {
  enum Anchor: String {
    case start, middle, end
  }

  private(set) var body = ""

  /// A coordinate with at most two decimals and no needless zeros.
  static func number(_ value: Double) -> String {
    // Far off the chart all places look alike; the bound keeps the conversion defined.
    let hundredths = Int((min(max(value, -1e6), 1e6) * 100).rounded())
    let sign = hundredths < 0 ? "-" : ""
    let (whole, rest) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
    if rest == 0 { return "\(sign)\(whole)" }
    if rest % 10 == 0 { return "\(sign)\(whole).\(rest / 10)" }
    return "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
  }

  static func pair(_ x: Double, _ y: Double) -> String { "\(number(x)) \(number(y))" }

  mutating func raw(_ markup: String) { body += markup + "\n" }

  mutating func text(
    _ text: String, x: Double, y: Double, anchor: Anchor = .start, classes: String = ""
  ) {
    let anchorAttribute = anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\""
    let classAttribute = classes.isEmpty ? "" : " class=\"\(classes)\""
    raw(
      "<text\(classAttribute) x=\"\(SVG.number(x))\" y=\"\(SVG.number(y))\"\(anchorAttribute)>"
        + "\(text.markup)</text>")
  }

  /// Elements that were written elsewhere.
  mutating func add(_ other: SVG) { body += other.body }

  /// Elements as a group, or nothing if there are none.
  mutating func group(_ attributes: String, _ draw: (inout SVG) -> Void) {
    var inner = SVG()
    draw(&inner)
    if !inner.body.isEmpty { raw("<g \(attributes)>\n\(inner.body)</g>") }
  }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, classes: String
  ) {
    path("M\(SVG.pair(x1, y1))L\(SVG.pair(x2, y2))", classes: classes)
  }

  mutating func path(_ data: String, classes: String, attributes: String = "") {
    if data.isEmpty { return }
    raw("<path class=\"\(classes)\"\(attributes) d=\"\(data)\"/>")
  }

  /// A line in a series' colour and dash.
  mutating func strokedPath(_ data: String, style: SeriesStyle) {
    let dash = style.dash.pattern.map { " stroke-dasharray=\"\($0)\"" } ?? ""
    path(data, classes: "line s\(style.colorIndex + 1)", attributes: dash)
  }

  /// A whole `<svg>` element.
  /// - Parameters:
  ///   - id: Starts each id within; unique in its document.
  ///   - isFile: Whether it is a file of its own, with its own style and background.
  func document(
    width: Double, height: Double, id: String, title: String, description: String,
    classes: String, isFile: Bool
  ) -> String {
    let size = "\(SVG.number(width)) \(SVG.number(height))"
    let id = id.markup
    let own =
      isFile
      ? " xmlns=\"http://www.w3.org/2000/svg\" width=\"\(SVG.number(width))\""
        + " height=\"\(SVG.number(height))\" font-family=\"\(ChartStyle.fontFamily)\"" : ""
    var text =
      "<svg class=\"\(classes)\" viewBox=\"0 0 \(size)\"\(own) role=\"img\""
      + " aria-labelledby=\"\(id)-title \(id)-desc\">\n"
      + "<title id=\"\(id)-title\">\(title.markup)</title>\n"
      + "<desc id=\"\(id)-desc\">\(description.markup)</desc>\n"
    if isFile {
      text += "<style>\n\(ChartStyle.fileRules)\n</style>\n"
      text += "<path class=\"ground\" d=\"M0 0H\(SVG.number(width))V\(SVG.number(height))H0Z\"/>\n"
    }
    return text + body + "</svg>\n"
  }
}
