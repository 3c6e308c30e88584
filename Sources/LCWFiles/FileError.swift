// SPDX-License-Identifier: Apache-2.0
import Foundation
public import LCWCore

/// What the file system refused.
public enum FileError: DescribedError, Hashable {
  /// There is no such file.
  case missing(file: String)
  /// A system call failed.
  case failed(operation: String, file: String, reason: String)
  /// A compressed file can't be unpacked.
  case damaged(file: String, reason: String)
  /// There is a file already, which is not to be replaced.
  case exists(file: String)
  /// Another process is at work on a file; its number, where the system tells.
  case inUse(file: String, process: Int?)
  /// A file is larger than is accepted.
  case tooLarge(file: String, limit: Int)

  /// A missing file, wrong data, or a failure of the system.
  public var category: ErrorCategory {
    switch self {
    case .missing: .missingFile
    case .failed, .exists, .inUse: .failure
    case .damaged, .tooLarge: .data
    }
  }

  /// One line with the file and the reason.
  public var description: String {
    switch self {
    case .missing(let file): "there is no file \(file)"
    case .failed(let operation, let file, let reason): "can't \(operation) \(file): \(reason)"
    case .damaged(let file, let reason): "\(file) is damaged: \(reason)"
    case .exists(let file): "\(file) already exists and is not replaced"
    case .inUse(let file, let process):
      "another process\(process.map { " (\($0))" } ?? "") is at work on \(file); wait for it, or "
        + "name another file"
    case .tooLarge(let file, let limit): "\(file) is larger than \(limit) bytes"
    }
  }

  /// The error of a failed system call.
  static func system(_ operation: String, file: String, code: Int32) -> FileError {
    code == ENOENT && operation == "open"
      ? .missing(file: file)
      : .failed(operation: operation, file: file, reason: String(cString: strerror(code)))
  }
}
