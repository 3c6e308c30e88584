// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles

/// The files that a method's options name, such as a fitted model, by which a saved path knows them
/// again: with another model it would be another path.
struct MethodFiles {
  /// The SHA-256 of each file's bytes by the name that the option gives it.
  private let digests: [String: String]

  private static let field = "files"

  /// The files as they are now.
  init(_ names: [String]) throws {
    var digests: [String: String] = [:]
    for name in names where !name.isEmpty { digests[name] = try Self.digest(of: name) }
    self.digests = digests
  }

  /// The files that the metadata of a path name.
  init(_ record: [String: JSONValue]) {
    digests = (record[Self.field]?.object ?? [:]).compactMapValues(\.string)
  }

  /// The metadata; nothing for a method that reads no files.
  var record: [String: JSONValue] {
    digests.isEmpty ? [:] : [Self.field: .object(digests.mapValues(JSONValue.string))]
  }

  /// Where each file is: among those that the user named, else in the folder of the path's archive
  /// under the last part of its name.
  ///
  /// An archive may come from anyone, so that the names in it lead nowhere else. Nothing of a file is
  /// read beyond its digest unless that is the one of the archive.
  ///
  /// - Parameters:
  ///   - wanted: The names that the path's method has; others are not looked for.
  ///   - archive: The path's archive.
  ///   - given: Files that the user named.
  /// - Throws: ``SessionError/missingMethodFile(_:madeWith:)`` if there is none of a name, and
  ///   ``SessionError/otherFile(_:madeWith:)`` if there is, but it is not the one the path was made
  ///   with.
  func found(
    _ wanted: [String], besides archive: String, given: [String] = []
  ) throws -> [String: String] {
    guard wanted.contains(where: { digests[$0] != nil }) else { return [:] }
    let offered = try given.map { (file: $0, digest: try Self.digest(of: $0)) }
    let folder = URL(fileURLWithPath: archive).deletingLastPathComponent()
    var found: [String: String] = [:]
    for name in wanted {
      guard let digest = digests[name] else { continue }
      if let same = offered.first(where: { $0.digest == digest }) {
        found[name] = same.file
        continue
      }
      guard let file = Self.neighbour(name, in: folder) else {
        throw SessionError.missingMethodFile(name, madeWith: archive)
      }
      guard try Self.digest(of: file) == digest else {
        throw SessionError.otherFile(file, madeWith: archive)
      }
      found[name] = file
    }
    return found
  }

  /// The regular file of a folder, no link, whose name is the last part of a path; nothing if there is
  /// none or it is larger than such files are.
  private static func neighbour(_ path: String, in folder: URL) -> String? {
    guard let name = path.split(separator: "/").last.map(String.init), ![".", ".."].contains(name)
    else { return nil }
    let file = folder.appendingPathComponent(name).path
    // Looks at a link itself, not at what it leads to.
    let attributes = try? FileManager.default.attributesOfItem(atPath: file)
    guard attributes?[.type] as? FileAttributeType == .typeRegular,
      let size = attributes?[.size] as? Int, size <= largestFile
    else { return nil }
    return file
  }

  /// The bytes of the largest file that is looked into because an archive names it.
  private static let largestFile = 1 << 36

  private static func digest(of name: String) throws -> String {
    try SHA256.hexDigest(of: try InputFile(URL(fileURLWithPath: name)))
  }
}
