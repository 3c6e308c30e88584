// SPDX-License-Identifier: Apache-2.0
import LCWCore

extension String {
  /// The text as character data or an attribute value of HTML and XML.
  ///
  /// Control characters, which XML forbids for the most part, and marks that turn the direction of
  /// reading are shown as escapes, so that no text can break the markup or pass for another.
  var markup: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      case _ where scalar.isControlling: result += scalar.escaped(asASCII: true)
      case "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The text on one line, with each control character and mark of direction as an escape: no cell
  /// can move a terminal's cursor, break a line of Markdown or pass for another.
  var singleLine: String { escapingControls }

  /// The columns the text takes on a terminal: 0 for marks that combine, 2 for wide East Asian
  /// characters and pictographs, 1 for all else.
  var terminalWidth: Int {
    unicodeScalars.reduce(0) { $0 + $1.terminalWidth }
  }
}

extension Unicode.Scalar {
  fileprivate var terminalWidth: Int {
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    switch value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}
