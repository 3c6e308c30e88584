// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// A parsed document as a flat list of its elements; parsing fails where it is not well-formed.
struct MarkupDocument {
  struct Element {
    var name: String
    var attributes: [String: String]
    /// The names of the elements around it, outermost first.
    var ancestors: [String]
    /// All text within, also that of inner elements.
    var text = ""
  }

  var elements: [Element]

  init(_ markup: String) throws {
    let collector = Collector()
    let parser = XMLParser(data: Data(markup.utf8))
    parser.delegate = collector
    guard parser.parse() else {
      Issue.record("not well-formed: line \(parser.lineNumber), column \(parser.columnNumber)")
      throw parser.parserError ?? CocoaError(.fileReadCorruptFile)
    }
    elements = collector.elements
  }

  func named(_ name: String) -> [Element] { elements.filter { $0.name == name } }

  func texts(of name: String) -> [String] { named(name).map(\.text) }

  func element(id: String) throws -> Element {
    try #require(elements.first { $0.attributes["id"] == id }, "no element has the id \(id)")
  }
}

private final class Collector: NSObject, XMLParserDelegate {
  var elements: [MarkupDocument.Element] = []
  var open: [Int] = []

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    let ancestors = open.map { elements[$0].name }
    open.append(elements.count)
    elements.append(
      MarkupDocument.Element(name: name, attributes: attributes, ancestors: ancestors))
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    open.removeLast()
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    for index in open { elements[index].text += text }
  }
}
