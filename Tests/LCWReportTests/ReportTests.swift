// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFiles
import LCWReport
import Testing

struct ReportTests {
  static let table = Table(
    caption: "Methods", columns: [Table.Column("method"), Table.Column("n", alignment: .number)],
    rows: [["linear", 1]])
  static let chart = LineChartTests.chart(LineChartTests.series(2, marks: true))
  static let scatter = ScatterChartTests.chart([
    [
      ScatterChart.Group(name: "a", points: ScatterChartTests.lattice),
      ScatterChart.Group(name: "b", points: ScatterChartTests.lattice),
    ],
    [ScatterChart.Group(name: "a", points: ScatterChartTests.lattice)],
  ])

  static let report = Report(
    title: "Paths", introduction: ["First.", "Second."],
    sections: [
      Report.Section(
        title: "One", blocks: [.paragraph("Text & more."), .table(table)],
        subsections: [Report.Section(title: "Inner", blocks: [.chart(chart, note: "A note.")])]
      ),
      Report.Section(title: "Two", blocks: [.chart(scatter), .list(["x", "y"])]),
      Report.Section(title: "Three", blocks: [.commands(["lcw a < b", "lcw c"])]),
      Report.Section(title: "Four", blocks: [.table(table), .chart(chart)]),
    ], footer: "lcw 1.0", language: "en-GB")

  @Test func hasItsParts() throws {
    let page = try MarkupDocument(Self.report.html)
    #expect(Self.report.html.hasPrefix("<!DOCTYPE html>\n<html lang=\"en-GB\">"))
    #expect(page.texts(of: "title").first == "Paths")
    #expect(page.named("meta").contains { $0.attributes["name"] == "viewport" })
    #expect(page.named("meta").contains { $0.attributes["charset"] == "utf-8" })
    #expect(page.texts(of: "p") == ["First.", "Second.", "Text & more.", "lcw 1.0"])
    #expect(page.texts(of: "pre") == ["lcw a < b\nlcw c"])
    #expect(
      page.texts(of: "figcaption") == [
        "Figure 1. Accuracy. A note.", "Figure 2. Neurons.", "Figure 3. Accuracy.",
      ])
    #expect(page.texts(of: "caption") == ["Table 1. Methods.", "Table 2. Methods."])
    #expect(page.texts(of: "nav") == ["\n\nOne\nTwo\nThree\nFour\n\n"])
    let figures = page.named("figure").map { $0.attributes["id"] }
    #expect(figures == ["figure-1", "figure-2", "figure-3"])
  }

  @Test func headingsAreInOrder() throws {
    let page = try MarkupDocument(Self.report.html)
    let headings = page.elements.filter { $0.name.count == 2 && $0.name.hasPrefix("h") }
      .filter { $0.name != "hr" }
    #expect(headings.map(\.name) == ["h1", "h2", "h3", "h2", "h2", "h2"])
    #expect(headings.map(\.text) == ["Paths", "One", "Inner", "Two", "Three", "Four"])
  }

  @Test func needsNothingElse() throws {
    let html = Self.report.html
    let page = try MarkupDocument(html)
    for name in ["link", "img", "iframe", "object"] {
      #expect(page.named(name).isEmpty)
    }
    #expect(page.named("script").count == 1)
    #expect(page.named("script").allSatisfy { $0.attributes.isEmpty })
    #expect(!html.contains("http://") && !html.contains("https://") && !html.contains("@import"))
    let references = page.elements.compactMap { $0.attributes["href"] ?? $0.attributes["src"] }
    #expect(references.allSatisfy { $0.hasPrefix("#") })
  }

  /// The policy names the digest of the script as it stands in the page.
  @Test func thePolicyAllowsTheScriptAlone() throws {
    let html = Self.report.html
    let start = try #require(html.range(of: "<script>")).upperBound
    let end = try #require(html.range(of: "</script>")).lowerBound
    let digits = Array(SHA256.hexDigest(of: Array(html[start..<end].utf8)))
    let digest = Data(
      stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(digits[$0..<$0 + 2]), radix: 16)
      })
    #expect(digest.count == 32)
    #expect(html.contains("script-src 'sha256-\(digest.base64EncodedString())'"))
    let withoutCharts = Report(title: "Text", sections: []).html
    #expect(!withoutCharts.contains("<script>"))
  }

  /// A click on a name hides the parts of its line: each name has parts, and each part a name, in both drawings.
  @Test func namesAndPartsOfLinesBelongTogether() throws {
    let lines = ["a", "b"].map { name in
      LineChart.Series(
        name: name, points: [ChartPoint(0, 1), ChartPoint(1, 1)],
        marks: [.init(ChartPoint(0, 1), label: "worst")])
    }
    let section = Report.Section(title: "One", blocks: [.chart(LineChartTests.chart(lines))])
    let page = try MarkupDocument(Report(title: "Lines", sections: [section]).html)
    let keys = page.elements.compactMap { $0.attributes["data-key"] }
    let parts = page.elements.compactMap { $0.attributes["data-series"] }
    #expect(keys == ["0", "1", "0", "1"])
    #expect(Set(parts) == ["0", "1"])
    // A file may go into a paper.
    #expect(!LineChartTests.chart(lines).svg().contains("data-"))
  }

  @Test func foldedBlocksAreThere() throws {
    let table = Table(columns: [Table.Column("a")], rows: [[.text("inside")]])
    let section = Report.Section(title: "One", blocks: [.folded("Show", [.table(table)])])
    let page = try MarkupDocument(Report(title: "Folded", sections: [section]).html)
    #expect(page.texts(of: "summary") == ["Show"])
    let inside = page.elements.filter { $0.name == "th" && $0.text == "inside" }
    #expect(inside.count == 1 && inside[0].ancestors.contains("details"))
  }

  @Test func everyReferenceHasItsTarget() throws {
    let page = try MarkupDocument(Self.report.html)
    let ids = page.elements.compactMap { $0.attributes["id"] }
    #expect(Set(ids).count == ids.count)
    var references = page.elements.compactMap { $0.attributes["href"]?.dropFirst() }
    for element in page.elements {
      references += element.attributes["aria-labelledby"]?.split(separator: " ") ?? []
    }
    #expect(references.count > 10)
    for reference in references { #expect(ids.contains(String(reference))) }
  }

  @Test func chartsAreNamed() throws {
    let page = try MarkupDocument(Self.report.html)
    let charts = page.named("svg").filter { $0.attributes["aria-hidden"] == nil }
    // Two layouts of each line chart, and two panels.
    #expect(charts.count == 6)
    for chart in charts {
      #expect(chart.attributes["role"] == "img")
      #expect(chart.attributes["aria-labelledby"] != nil)
      #expect(chart.ancestors.contains("figure"))
    }
  }

  @Test func textIsEscaped() throws {
    let nasty = "</p><script>alert(\"1\")</script>&amp;\u{8}"
    let report = Report(
      title: nasty, introduction: [nasty],
      sections: [
        Report.Section(
          title: nasty,
          blocks: [
            .paragraph(nasty), .list([nasty]), .commands([nasty]),
            .table(Table(caption: nasty, columns: [Table.Column(nasty, note: nasty)])),
            .chart(
              LineChartTests.chart([LineChart.Series(name: nasty, points: [])]), note: nasty),
            .chart(
              ScatterChart(
                title: nasty, xLabel: nasty, yLabel: nasty,
                panels: [
                  ScatterChart.Panel(
                    title: nasty,
                    groups: [
                      ScatterChart.Group(name: nasty, points: []),
                      ScatterChart.Group(name: "other", points: []),
                    ])
                ])),
          ])
      ], footer: nasty, language: "\"><script>")
    let page = try MarkupDocument(report.html)
    // The page's own, as it is without the text.
    let scripts = try MarkupDocument(Self.report.html).texts(of: "script")
    #expect(page.texts(of: "script") == scripts)
    #expect(page.texts(of: "h1") == ["</p><script>alert(\"1\")</script>&amp;\\u{08}"])
  }

  @Test func anEmptyReportIsAPage() throws {
    let page = try MarkupDocument(Report(title: "Nothing").html)
    #expect(page.texts(of: "h1") == ["Nothing"])
    #expect(page.named("nav").isEmpty)
  }

  @Test func deepSectionsKeepTheLastHeading() throws {
    var section = Report.Section(title: "deep")
    for _ in 0..<6 { section = Report.Section(title: "outer", subsections: [section]) }
    let page = try MarkupDocument(Report(title: "Deep", sections: [section]).html)
    #expect(page.named("h6").count == 3)
  }

  @Test func theSameReportGivesTheSameText() {
    #expect(Self.report.html == Self.report.html)
  }

  @Test func colorsStandOffTheirBackground() throws {
    let schemes = Self.report.html.split(separator: ":root{").dropFirst().prefix(2)
    try #require(schemes.count == 2)
    for scheme in schemes {
      let colors = try ColorScheme(scheme)
      for index in 1...SeriesStyle.colorCount {
        #expect(try colors.contrast("series-\(index)", "background") >= 3)
      }
      for (text, ground) in [
        ("text", "background"), ("muted-text", "background"), ("link", "background"),
        ("text", "surface"),
      ] {
        #expect(try colors.contrast(text, ground) >= 4.5)
      }
      #expect(try colors.contrast("axis", "background") >= 3)
    }
  }
}

/// The colours a style sheet declares, and how far they stand off each other (WCAG 2.2).
struct ColorScheme {
  var luminances: [String: Double] = [:]

  init(_ css: Substring) throws {
    let declarations = css.prefix { $0 != "}" }.split(separator: ";")
    for declaration in declarations where declaration.hasPrefix("--") {
      let parts = declaration.dropFirst(2).split(separator: ":")
      let value = try #require(parts.last.flatMap { Int($0.dropFirst(), radix: 16) })
      let channels = [16, 8, 0].map { Self.linear(Double(value >> $0 & 0xFF) / 255) }
      luminances[String(parts[0])] =
        0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]
    }
  }

  func contrast(_ first: String, _ second: String) throws -> Double {
    let a = try #require(luminances[first])
    let b = try #require(luminances[second])
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }

  /// The inverse of sRGB's transfer function.
  private static func linear(_ channel: Double) -> Double {
    channel <= 0.04045 ? channel / 12.92 : pow((channel + 0.055) / 1.055, 2.4)
  }
}
