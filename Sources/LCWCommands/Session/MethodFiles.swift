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

  /// Where each file is: under its name, or in the folder of the path's archive.
  /// - Throws: ``SessionError/missingMethodFile(_:madeWith:)`` if there is none of a name, and
  ///   ``SessionError/otherFile(_:madeWith:)`` if there are, but none is the one the path was made with.
  func found(besides archive: String) throws -> [String: String] {
    let folder = URL(fileURLWithPath: archive).deletingLastPathComponent()
    var found: [String: String] = [:]
    for (name, digest) in digests {
      let candidates = [
        name, folder.appendingPathComponent(name).path,
        folder.appendingPathComponent(URL(fileURLWithPath: name).lastPathComponent).path,
      ].filter { FileManager.default.fileExists(atPath: $0) }
      guard let first = candidates.first else {
        throw SessionError.missingMethodFile(name, madeWith: archive)
      }
      guard let same = try candidates.first(where: { try Self.digest(of: $0) == digest }) else {
        throw SessionError.otherFile(first, madeWith: archive)
      }
      found[name] = same
    }
    return found
  }

  private static func digest(of name: String) throws -> String {
    let file = try InputFile(URL(fileURLWithPath: name))
    return SHA256.hexDigest(of: try file.bytes(in: 0..<file.size))
  }
}
