// SPDX-License-Identifier: Apache-2.0
import LCWCore

/// Fields as texts.
enum LabelText {
  /// The words that programs write where a number is missing or is not finite.
  static let missingWords: Set<String> = [
    "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "?", "-", "inf", "-inf", "infinity",
  ]

  /// Whether a field is a decimal number.
  static func isNumber(_ field: [UInt8]) -> Bool {
    guard !field.isEmpty else { return false }
    return Decimal().value(in: field, from: 0, to: field.count, delimiter: 0)?.end == field.count
  }

  /// Whether a label is a word for what is missing. A minus alone is a usual class, beside a plus.
  static func isMissing(_ label: ArraySlice<UInt8>) -> Bool {
    guard label.count <= 8, let first = label.first else { return false }
    switch first {
    case UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "i"), UInt8(ascii: "I"),
      UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: "<"), UInt8(ascii: "#"):
      let word = String(decoding: label, as: UTF8.self).lowercased()
      return word != "-" && missingWords.contains(word)
    default: return false
    }
  }

  /// A field for a message.
  static func shown(_ field: some Collection<UInt8>) -> String {
    let text = String(decoding: field.prefix(60), as: UTF8.self).asOneLine
    return field.count > 60 ? text + "…" : text
  }
}
