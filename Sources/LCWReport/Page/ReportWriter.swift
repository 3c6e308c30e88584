// SPDX-License-Identifier: Apache-2.0

/// Writes a report's HTML, counting its sections, tables and figures on the way.
struct ReportWriter {
  /// A section longer than this list needs a list of contents.
  private static let sectionsWithoutContents = 3

  private var tables = 0
  private var figures = 0

  mutating func page(_ report: Report) -> String {
    var body = "<main>\n<header>\n<h1>\(report.title.markup)</h1>\n"
    body += report.introduction.map(Self.paragraph).joined()
    body += "</header>\n"
    if report.sections.count > Self.sectionsWithoutContents { body += Self.contents(report) }
    for (index, section) in report.sections.enumerated() {
      body += self.section(section, number: "\(index + 1)", level: 2)
    }
    if let footer = report.footer { body += "<footer>\n\(Self.paragraph(footer))</footer>\n" }
    body += "</main>\n"
    // Without charts there is nothing to click.
    if figures > 0 { body += "<script>\(PageScript.source)</script>\n" }
    return """
      <!DOCTYPE html>
      <html lang="\(report.language.markup)">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <meta http-equiv="Content-Security-Policy" content="\(Self.policy)"/>
      <title>\(report.title.markup)</title>
      <style>
      \(PageStyle.sheet)
      </style>
      </head>
      <body>
      \(body)</body>
      </html>

      """
  }

  /// The browser itself holds the page to its promise: nothing but the styles and the one script within.
  private static let policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-\(PageScript.digest)'"

  private static func paragraph(_ text: String) -> String { "<p>\(text.markup)</p>\n" }

  private static func contents(_ report: Report) -> String {
    let items = report.sections.enumerated().map { index, section in
      "<li><a href=\"#section-\(index + 1)\">\(section.title.markup)</a></li>"
    }
    return "<nav aria-label=\"Contents\">\n<ol>\n\(items.joined(separator: "\n"))\n</ol>\n</nav>\n"
  }

  private mutating func section(
    _ section: Report.Section, number: String, level: Int
  ) -> String {
    // HTML ends at h6; deeper sections keep that level.
    let tag = "h\(min(level, 6))"
    var text =
      "<section id=\"section-\(number)\" aria-labelledby=\"heading-\(number)\">\n"
      + "<\(tag) id=\"heading-\(number)\">\(section.title.markup)</\(tag)>\n"
    for block in section.blocks { text += self.block(block) }
    for (index, inner) in section.subsections.enumerated() {
      text += self.section(inner, number: "\(number)-\(index + 1)", level: level + 1)
    }
    return text + "</section>\n"
  }

  private mutating func block(_ block: Report.Block) -> String {
    switch block {
    case .paragraph(let text): return Self.paragraph(text)
    case .list(let items):
      if items.isEmpty { return "" }
      return "<ul>\n" + items.map { "<li>\($0.markup)</li>\n" }.joined() + "</ul>\n"
    case .commands(let lines):
      let text = lines.map(\.markup).joined(separator: "\n")
      return "<pre tabindex=\"0\"><code>\(text)</code></pre>\n"
    case .table(let table): return self.table(table)
    case .folded(let summary, let blocks):
      return "<details>\n<summary>\(summary.markup)</summary>\n"
        + blocks.map { self.block($0) }.joined() + "</details>\n"
    case .chart(let chart, let note): return self.chart(chart, note: note)
    }
  }

  private mutating func table(_ table: Table) -> String {
    tables += 1
    let id = "table-\(tables)"
    let caption = Self.caption("Table \(tables)", title: table.caption ?? "", notes: [])
    let html = table.html(caption: caption, captionID: "\(id)-caption")
    // A region that scrolls must be reachable by keyboard, and so needs a name.
    return "<div class=\"scroll\" id=\"\(id)\" role=\"region\" tabindex=\"0\""
      + " aria-labelledby=\"\(id)-caption\">\n\(html)</div>\n"
  }

  private mutating func chart(_ chart: any Chart, note: String?) -> String {
    figures += 1
    let id = "figure-\(figures)"
    let figure = chart.figure(id: id)
    return self.figure(
      id: id, content: figure.content, title: chart.title, notes: [note] + figure.notes)
  }

  private func figure(id: String, content: String, title: String, notes: [String?]) -> String {
    let caption = Self.caption("Figure \(figures)", title: title, notes: notes.compactMap { $0 })
    return "<figure id=\"\(id)\">\n\(content)<figcaption>\(caption)</figcaption>\n</figure>\n"
  }

  private static func caption(_ label: String, title: String, notes: [String]) -> String {
    let sentences = ([title] + notes).filter { !$0.isEmpty }.map { text in
      let isClosed = text.last.map { ".!?:".contains($0) } ?? true
      return (isClosed ? text : text + ".").markup
    }
    return (["<b>\(label).</b>"] + sentences).joined(separator: " ")
  }
}
