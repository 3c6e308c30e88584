// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// How a data set gets at the files that its options name.
public struct DataContext: Sendable {
  /// The folders of the data sets, which are searched after the current one.
  public var locations: DataLocations
  /// Opens a file of arrays in whatever format it is. Data sets know no format; whoever has the
  /// registry has it here.
  public var open: (@Sendable (URL) throws -> any CheckpointSource)?

  /// A context.
  public init(
    locations: DataLocations, open: (@Sendable (URL) throws -> any CheckpointSource)? = nil
  ) {
    self.locations = locations
    self.open = open
  }

  /// The file or folder of a name: in the current folder, else in the first of ``locations`` that has it.
  /// - Throws: ``DataError/missing(file:searched:advice:)``.
  public func file(_ name: FileName) throws(DataError) -> URL {
    let candidates = places(of: name)
    if let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0.path) }) {
      return found
    }
    let isAbsolute = name.text.hasPrefix("/")
    throw .missing(
      file: name.text,
      searched: isAbsolute ? [] : ["the current folder"] + locations.folders.map(\.path),
      advice: "check the spelling of its name")
  }

  /// Where the file of a name may be, the likeliest first.
  public func places(of name: FileName) -> [URL] {
    let here = URL(fileURLWithPath: name.text)
    guard !name.text.hasPrefix("/") else { return [here] }
    return [here] + locations.folders.map { $0.appendingPathComponent(name.text) }
  }
}
