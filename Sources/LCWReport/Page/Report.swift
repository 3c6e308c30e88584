// SPDX-License-Identifier: Apache-2.0

/// A page of sections, rendered as one HTML file that needs nothing else and no network. Its script only lets the
/// reader hide lines of charts.
public struct Report: Sendable {
  /// A part of a section. All text is plain text; whatever markup it holds is shown as it is.
  public enum Block: Sendable {
    /// Text.
    case paragraph(String)
    /// Short texts, each with a bullet.
    case list([String])
    /// Lines of a command or its output, as they are.
    case commands([String])
    /// A table, numbered.
    case table(Table)
    /// A chart, numbered. The note stands behind the title in its caption.
    case chart(any Chart, note: String? = nil)
    /// Blocks that few readers want, shown when the reader opens them by their summary.
    indirect case folded(String, [Block])
  }

  /// A heading and what stands below it.
  public struct Section: Sendable {
    /// The heading.
    public var title: String
    /// The content.
    public var blocks: [Block]
    /// Sections one level down, behind the content.
    public var subsections: [Section]

    /// A section.
    public init(title: String, blocks: [Block] = [], subsections: [Section] = []) {
      self.title = title
      self.blocks = blocks
      self.subsections = subsections
    }
  }

  /// The title of the page.
  public var title: String
  /// What stands below the title, a paragraph each.
  public var introduction: [String]
  /// The sections; from four on, a list of contents leads to them.
  public var sections: [Section]
  /// What stands at the end of the page, such as the program and its version.
  public var footer: String?
  /// The language of the text, a BCP 47 tag.
  public var language: String

  /// A report.
  public init(
    title: String, introduction: [String] = [], sections: [Section] = [], footer: String? = nil,
    language: String = "en"
  ) {
    self.title = title
    self.introduction = introduction
    self.sections = sections
    self.footer = footer
    self.language = language
  }

  /// The page: HTML that is also well-formed XML, light or dark as the reader's system asks.
  public var html: String {
    var writer = ReportWriter()
    return writer.page(self)
  }
}
