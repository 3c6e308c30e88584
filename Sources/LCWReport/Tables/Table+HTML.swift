// SPDX-License-Identifier: Apache-2.0

extension Table {
  /// The table as a fragment of HTML that is also well-formed XML: `<table>` with a caption, a
  /// `<th scope="col">` for each column, and a `<th scope="row">` for each row whose first cell is
  /// text; the columns' notes follow in a list.
  public var html: String { html(caption: caption.map(\.markup), captionID: nil) }

  /// The table with a caption that is markup already.
  func html(caption: String?, captionID: String?) -> String {
    var lines = [columns.count > Table.mostOnPaper ? "<table class=\"broad\">" : "<table>"]
    if let caption {
      let id = captionID.map { " id=\"\($0.markup)\"" } ?? ""
      lines.append("<caption\(id)><span>\(caption)</span></caption>")
    }
    let head = columns.map { column in
      "<th scope=\"col\"\(Table.classAttribute(column))>\(column.title.markup)</th>"
    }
    lines += ["<thead>", "<tr>\(head.joined())</tr>", "</thead>", "<tbody>"]
    lines += rows.map { "<tr>\(cells(of: $0))</tr>" }
    lines += ["</tbody>", "</table>"]
    let notes = allNotes.map { "<li>\($0.markup)</li>" }
    if !notes.isEmpty { lines += ["<ul class=\"notes\">"] + notes + ["</ul>"] }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The columns that find room on a printed page in the usual size of type.
  private static let mostOnPaper = 12

  private func cells(of row: [Cell]) -> String {
    var text = ""
    for (index, cell) in row.enumerated() {
      let attribute = Table.classAttribute(columns[index])
      if index == 0, case .text(let name) = cell {
        text += "<th scope=\"row\"\(attribute)>\(name.markup)</th>"
      } else {
        let isLong = Table.isLong(cell) && attribute.isEmpty
        text += "<td\(isLong ? " class=\"long\"" : attribute)>\(cell.displayText.markup)</td>"
      }
    }
    return text
  }

  /// Whether a cell holds text that wraps, and so needs a width to wrap at.
  private static func isLong(_ cell: Cell) -> Bool {
    if case .text(let text) = cell { text.count > 24 } else { false }
  }

  private static func classAttribute(_ column: Column) -> String {
    column.alignment == .number ? " class=\"number\"" : ""
  }
}
