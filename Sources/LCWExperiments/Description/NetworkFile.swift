// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles

/// A file with one of an experiment's networks, which is read in the place of training one.
public struct NetworkFile: Sendable, Hashable {
  /// Where it is.
  public let path: String
  /// The SHA-256 of its content, in hexadecimal.
  public let digest: String

  /// The name without its folder.
  var name: String { URL(fileURLWithPath: path).lastPathComponent }

  init(_ path: String) throws(ExperimentError) {
    self.path = path
    do {
      let file = try InputFile(URL(fileURLWithPath: path))
      digest = SHA256.hexDigest(of: try file.bytes(in: 0..<file.size))
    } catch {
      throw .file(path, reason: error.description, category: error.category)
    }
  }

  /// The files that patterns such as `nets/*.safetensors` fit, each once: those of the first pattern
  /// first, each pattern's by their names, numbers in them by their size.
  /// - Throws: ``ExperimentError`` for a pattern that no file fits, a file that can't be read, and too
  ///   many files.
  static func all(fitting patterns: [String]) throws(ExperimentError) -> [NetworkFile] {
    var paths: [String] = []
    for pattern in patterns {
      let fitting = NetworkFile.paths(fitting: pattern)
      guard !fitting.isEmpty else {
        throw .file(pattern, reason: "no network file matches this", category: .usage)
      }
      paths += fitting.filter { !paths.contains($0) }
      guard paths.count <= Experiment.mostNetworks else {
        throw .field(
          "networks.files", expected: "patterns of at most \(Experiment.mostNetworks) files")
      }
    }
    var files: [NetworkFile] = []
    for path in paths { files.append(try NetworkFile(path)) }
    return files
  }

  private static func paths(fitting pattern: String) -> [String] {
    // A file may have brackets in its name.
    guard !isFile(pattern) else { return [pattern] }
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(pattern, 0, nil, &found) == 0, let names = found.gl_pathv else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { names[$0].map { String(cString: $0) } }
      .filter(isFile)
      .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
  }

  private static func isFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && !isFolder.boolValue
  }
}
