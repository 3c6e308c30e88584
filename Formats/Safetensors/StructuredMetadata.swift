// SPDX-License-Identifier: Apache-2.0
import LCWCore

/// Metadata that are more than texts, in a format that has texts only: such a value is written as
/// JSON, and one field more says of which keys it is, so that all comes back as it was.
enum StructuredMetadata {
  /// The field that lists the keys whose texts are JSON.
  static let key = "lcw.json"

  /// The field by which Python's libraries tell whose tensors a file has, and what they look for.
  static let (formatKey, format) = ("format", "pt")

  /// The field that says that the format's was added here, so that reading leaves it out again.
  static let addedKey = "lcw.format"

  /// The texts for a file; nothing if they would not give the metadata back, as where a field is
  /// called as the list.
  static func texts(of metadata: [String: JSONValue]) -> [String: String]? {
    var texts = metadata.mapValues { $0.string ?? $0.compactText }
    let structured = metadata.filter { $0.value.string == nil }.keys
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    if !structured.isEmpty {
      texts[key] = JSONValue.array(structured.map(JSONValue.string)).compactText
    }
    if texts[formatKey] == nil, texts[addedKey] == nil {
      texts[formatKey] = format
      texts[addedKey] = format
    }
    return self.metadata(of: texts) == metadata ? texts : nil
  }

  /// The metadata of a file's texts. Where the list, or a text it names, is not as it is written
  /// here, all stays text.
  static func metadata(of texts: [String: String]) -> [String: JSONValue] {
    var texts = texts
    if let added = texts[addedKey], added == format, texts[formatKey] == added {
      texts[addedKey] = nil
      texts[formatKey] = nil
    }
    var metadata = texts.mapValues(JSONValue.string)
    guard let list = texts[key], let keys = parsed(list)?.array else { return metadata }
    metadata[key] = nil
    for key in keys {
      guard let key = key.string, key != self.key, let text = texts[key], let value = parsed(text),
        value.string == nil
      else { return texts.mapValues(JSONValue.string) }
      metadata[key] = value
    }
    return metadata
  }

  private static func parsed(_ text: String) -> JSONValue? {
    try? JSONValue(parsing: Array(text.utf8), limits: JSONLimits(depth: 64))
  }
}
