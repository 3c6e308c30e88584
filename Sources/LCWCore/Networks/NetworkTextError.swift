// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a network's text or JSON.
public struct NetworkTextError: DescribedError, Hashable {
  /// Where in the text or JSON something is wrong.
  public enum Place: Sendable, Hashable, CustomStringConvertible {
    /// The line with a number, from 1.
    case line(Int)
    /// The node with a number, from 1.
    case node(Int)

    /// Such as `line 3`.
    public var description: String {
      switch self {
      case .line(let number): "line \(number)"
      case .node(let number): "node \(number)"
      }
    }
  }

  /// Where it is; nothing if it is the text as a whole.
  public let place: Place?
  /// The part that is wrong, on one line.
  public let text: String
  /// What was expected, on one line.
  public let expected: String

  /// What is wrong; both texts may be of any length and have any characters.
  public init(place: Place?, text: String, expected: String) {
    self.place = place
    self.text = text.asOneLine
    self.expected = expected.asOneLine
  }

  /// Wrong usage.
  public var category: ErrorCategory { .usage }

  /// One line that says where and what.
  public var description: String {
    (place.map { "\($0), " } ?? "") + "‘\(text)’: expected \(expected)"
  }
}
