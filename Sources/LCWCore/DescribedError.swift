// SPDX-License-Identifier: Apache-2.0

/// Whose fault an error is: the exit status a command ends with.
public enum ErrorCategory: Int32, Sendable {
  /// Something else: 1.
  case failure = 1
  /// The command was used wrongly: 64, as `EX_USAGE`.
  case usage = 64
  /// A file's content is wrong: 65, as `EX_DATAERR`.
  case data = 65
  /// A file is not there: 66, as `EX_NOINPUT`.
  case missingFile = 66
}

/// An error whose description is one line for a person: what, where, what to do.
public protocol DescribedError: Error, CustomStringConvertible {
  /// Whose fault it is.
  var category: ErrorCategory { get }
}

/// The name nearest to `name` among `candidates`, if it is near enough to be a slip.
///
/// Near is an edit distance (Levenshtein) of at most a third of the longer name, or a prefix.
public func nearestName(to name: String, among candidates: [String]) -> String? {
  func distance(_ a: [Character], _ b: [Character]) -> Int {
    var previous = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var current = [i + 1]
      for (j, y) in b.enumerated() {
        current.append(min(previous[j + 1] + 1, current[j] + 1, previous[j] + (x == y ? 0 : 1)))
      }
      previous = current
    }
    return previous[b.count]
  }
  let given = Array(name.lowercased())
  let ranked = candidates.sorted().map { ($0, distance(given, Array($0.lowercased()))) }
  guard let best = ranked.min(by: { $0.1 < $1.1 }) else { return nil }
  let isNear = best.1 <= max(1, max(given.count, best.0.count) / 3)
  if isNear { return best.0 }
  return given.isEmpty ? nil : candidates.sorted().first { $0.hasPrefix(name.lowercased()) }
}
