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
  /// What to do, where a program says that in its own words, such as by an option of its command line.
  var remedy: Remedy? { get }
}

extension DescribedError {
  /// None: what to do is in the description, or nothing is known.
  public var remedy: Remedy? { nil }
}

/// What a person can do about an error, apart from how a program calls it.
public enum Remedy: Sendable, Hashable {
  /// Name a data set.
  case nameDataset
  /// Name the folder that the data set's files are in.
  case nameDataFolder
  /// Take batches of another size.
  case changeBatch
  /// Measure running statistics anew at each point, or fold the normalisation into its neighbours.
  case measureMoments
  /// Fit a model by a method.
  case fitModel(method: String)
  /// Do the steps first that have no result.
  case finishSteps
  /// List the steps.
  case listSteps
  /// Name an empty or a new folder for what is written.
  case nameOutput
  /// Take a point of the path, which is a network.
  case takePoint
  /// Join networks by a path first.
  case makePath
  /// Look for the architecture that a file's tensors fit.
  case findArchitecture
}

extension String {
  /// The text for a message of one line, which may quote what a file holds: with control characters,
  /// line ends and marks of direction as escapes, and without its middle where it is very long.
  public var asOneLine: String {
    let limit = 2000
    guard utf8.count > limit else { return escapingControls }
    let start = String(String.UnicodeScalarView(unicodeScalars.prefix(limit / 2)))
    let end = String(String.UnicodeScalarView(unicodeScalars.suffix(limit / 4)))
    return "\(start.escapingControls) … \(end.escapingControls)"
  }

  /// The text with escapes for what moves a cursor, ends a line or turns the direction of reading,
  /// so that what a file is called, or holds, can't pass for something else.
  public var escapingControls: String {
    var result = ""
    for scalar in unicodeScalars {
      if scalar.isControlling {
        result += scalar.escaped(asASCII: true)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Unicode.Scalar {
  /// Whether it is a control character, ends a line or a paragraph, or turns the direction of
  /// reading.
  public var isControlling: Bool {
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: properties.isBidiControl
    }
  }
}

/// The name nearest to `name` among `candidates`, if it is near enough to be a slip.
///
/// Near is an edit distance of at most a third of the longer name, or a prefix. The distance counts
/// insertions, deletions, replacements and exchanges of neighbours (Damerau 1964, restricted).
public func nearestName(to name: String, among candidates: [String]) -> String? {
  let given = Array(name.lowercased())
  let ranked = candidates.sorted().map { ($0, editDistance(given, Array($0.lowercased()))) }
  guard let best = ranked.min(by: { $0.1 < $1.1 }) else { return nil }
  let isNear = best.1 <= max(1, max(given.count, best.0.count) / 3)
  if isNear { return best.0 }
  return given.isEmpty ? nil : candidates.sorted().first { $0.hasPrefix(name.lowercased()) }
}

private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var rows = [Array(0...b.count)]
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      let replaced = rows[i][j] + (a[i] == b[j] ? 0 : 1)
      var best = min(rows[i][j + 1] + 1, row[j] + 1, replaced)
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        best = min(best, rows[i - 1][j - 1] + 1)
      }
      row.append(best)
    }
    rows.append(row)
  }
  return rows[a.count][b.count]
}
