// SPDX-License-Identifier: Apache-2.0

/// Estimated widths of text in the sans-serif faces that systems have.
///
/// A chart is laid out without a font at hand, so the estimate lies above most faces: text is
/// rather given too much room than set over other text.
enum TextMetrics {
  /// The width of `text` at a font size, in the size's unit.
  static func width(_ text: String, size: Double) -> Double {
    text.unicodeScalars.reduce(0) { $0 + ems($1) } * size
  }

  /// `text` on lines no wider than `width`, broken behind spaces, commas, plus signs, slashes and
  /// colons, and within a word only where it is wider than a line.
  static func lines(_ text: String, width: Double, size: Double) -> [String] {
    var lines: [String] = []
    var line = ""
    for piece in pieces(text.singleLine) {
      if !line.isEmpty, self.width(trimmed(line + piece), size: size) > width {
        lines.append(trimmed(line))
        line = ""
      }
      for character in piece {
        if !line.isEmpty, self.width(line + String(character), size: size) > width,
          character != " "
        {
          lines.append(trimmed(line))
          line = ""
        }
        line.append(character)
      }
    }
    if !trimmed(line).isEmpty { lines.append(trimmed(line)) }
    return lines
  }

  private static func pieces(_ text: String) -> [String] {
    var pieces: [String] = []
    var piece = ""
    for character in text {
      piece.append(character)
      if " ,+/:".contains(character) {
        pieces.append(piece)
        piece = ""
      }
    }
    return piece.isEmpty ? pieces : pieces + [piece]
  }

  private static func trimmed(_ text: String) -> String {
    var text = Substring(text)
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  private static func ems(_ scalar: Unicode.Scalar) -> Double {
    switch scalar {
    case "i", "j", "l", "I", "'", "|", ".", ",", ":", ";", "!": return 0.31
    case "r", "f", "t", " ", "(", ")", "[", "]", "/", "\\", "-", "\"", "`": return 0.41
    case "m", "M", "W", "w", "@", "%", "—": return 0.97
    case "+", "=", "<", ">", "~", "±", "×", "−", "→", "≤", "≥": return 0.84
    case "0"..."9", "a"..."z", "?", "$", "_", "^", "*", "#": return 0.64
    case "A"..."Z", "&": return 0.76
    default:
      if String(scalar).terminalWidth == 0 { return 0 }
      return String(scalar).terminalWidth == 2 ? 1.05 : 0.7
    }
  }
}
