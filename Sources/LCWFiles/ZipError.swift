// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// What can be wrong with a zip file.
public enum ZipError: DescribedError, Hashable {
  /// The file is not a zip file, or its directory can't be read.
  case notZip(file: String, reason: String)
  /// An entry is damaged or of a kind that is not accepted.
  case entry(file: String, entry: String, reason: String)
  /// The file holds more than is accepted.
  case tooLarge(file: String, reason: String)
  /// A zip file can't be written.
  case writing(file: String, reason: String)

  /// Wrong data, or a failure of the system.
  public var category: ErrorCategory {
    switch self {
    case .notZip, .entry, .tooLarge: .data
    case .writing: .failure
    }
  }

  /// One line with the file, the entry and the reason.
  public var description: String { message.asOneLine }

  private var message: String {
    switch self {
    case .notZip(let file, let reason): "\(file) is not a zip file that can be read: \(reason)"
    case .entry(let file, let entry, let reason): "\(file): the entry ‘\(entry)’: \(reason)"
    case .tooLarge(let file, let reason): "\(file) is not accepted: \(reason)"
    case .writing(let file, let reason): "can't write \(file): \(reason)"
    }
  }
}
