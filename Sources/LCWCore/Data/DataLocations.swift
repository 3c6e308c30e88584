// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWNumerics

/// The folders in which data sets are looked for, in order.
public struct DataLocations: Sendable, Hashable {
  /// The folders.
  public let folders: [URL]

  /// These folders and no others.
  public init(folders: [URL]) {
    self.folders = folders
  }

  /// The folder given, or else that of the environment variable `LCW_DATA`, or else `data` in the
  /// current folder and `~/.local/share/lcw/data`.
  public init(given: String?, environment: [String: String]) {
    if let given {
      folders = [URL(fileURLWithPath: given, isDirectory: true)]
    } else if let variable = environment["LCW_DATA"], !variable.isEmpty {
      folders = [URL(fileURLWithPath: variable, isDirectory: true)]
    } else {
      let home = environment["HOME"].map { "\($0)/.local/share/lcw/data" }
      folders = (["data"] + [home].compactMap(\.self)).map {
        URL(fileURLWithPath: $0, isDirectory: true)
      }
    }
  }

  /// The first file that exists of the given names, tried in each folder in turn. A folder of such a name,
  /// as some archives unpack to, is no file.
  /// - Parameters:
  ///   - names: Paths relative to a folder, the most likely first.
  ///   - advice: Where to get the file, as a sentence without a full stop.
  /// - Throws: ``DataError/missing(file:searched:advice:)``.
  public func file(named names: [String], advice: String) throws(DataError) -> URL {
    for folder in folders {
      for name in names {
        let file = folder.appendingPathComponent(name)
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder),
          !isFolder.boolValue
        {
          return file
        }
      }
    }
    throw .missing(
      file: names.first ?? "?", searched: folders.map(\.path), advice: advice)
  }
}

/// What can be wrong with a data set's files.
public enum DataError: DescribedError, Hashable {
  /// A file is in none of the folders.
  case missing(file: String, searched: [String], advice: String)
  /// A file is not what it should be.
  case damaged(file: String, reason: String)
  /// Reading would take more memory than it may, in bytes.
  case memory(file: String, content: String, needed: Double, limit: Double)
  /// What a data set holds is known only once its files are opened.
  case unopened(dataset: String)
  /// A data set can't be read by this program, for it lacks something.
  case unavailable(dataset: String, reason: String)
  /// The samples do not fit the network.
  case shape(expected: Shape, found: Shape)
  /// A network has another number of outputs than the data has classes.
  case classes(expected: Int, found: Int)

  /// A missing file or wrong data.
  public var category: ErrorCategory {
    switch self {
    case .missing: .missingFile
    case .unopened, .unavailable: .failure
    case .damaged, .memory, .shape, .classes: .data
    }
  }

  /// To name the folder of a missing file.
  public var remedy: Remedy? {
    if case .missing(_, let searched, _) = self, !searched.isEmpty { .nameDataFolder } else { nil }
  }

  /// One line that says which file, where it was looked for, what is wrong and what to do.
  public var description: String {
    switch self {
    case .missing(let file, let searched, _) where searched.isEmpty: "there is no file \(file)"
    case .missing(let file, let searched, let advice):
      "\(file) is not in \(searched.joined(separator: " or ")); \(advice)"
    case .damaged(let file, let reason): "\(file): \(reason)"
    case .memory(let file, let content, let needed, let limit):
      "\(file): \(content) take \(Self.gigabytes(needed)) GB of memory to read, more than the "
        + "\(Self.gigabytes(limit)) GB allowed; leave some out, or allow more with memory="
    case .unopened(let dataset):
      "what ‘\(dataset)’ holds is known once its files are opened; ask the registry for its data"
    case .unavailable(let dataset, let reason): "‘\(dataset)’ is not in this build: \(reason)"
    case .shape(let expected, let found):
      "the network takes samples \(expected), but the data has \(found)"
    case .classes(let expected, let found):
      "the network has \(expected) classes, but the data has \(found)"
    }
  }

  /// Gigabytes with three digits, such as `0.084` or `1.6`.
  private static func gigabytes(_ bytes: Double) -> String {
    let value = bytes / 1e9
    let unit = value < 1 ? 1000.0 : 10.0
    return "\((value * unit).rounded(.up) / unit)"
  }
}
