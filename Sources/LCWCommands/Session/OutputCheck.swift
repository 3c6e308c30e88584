// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFiles

/// What can be told of an output file before the work whose result it takes.
enum OutputCheck {
  /// Checks that a file can be written, is a regular one if it is there, and none of the inputs.
  static func check(_ path: String, inputs: [String] = []) throws {
    try checkName(path)
    let file = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    var isFolder: ObjCBool = false
    let folder = file.deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue
    else {
      throw FileError.failed(operation: "write", file: path, reason: "there is no folder \(folder)")
    }
    guard access(folder, W_OK) == 0 else {
      throw FileError.failed(
        operation: "write", file: path, reason: "\(folder) can't be written to")
    }
    if let kind = try? FileManager.default.attributesOfItem(atPath: file.path)[.type]
      as? FileAttributeType, ![.typeRegular, .typeSymbolicLink].contains(kind)
    {
      let reason = kind == .typeDirectory ? "it is a folder" : "it exists and is not a regular file"
      throw FileError.failed(operation: "write", file: path, reason: reason)
    }
    let isInput = inputs.contains {
      URL(fileURLWithPath: $0).resolvingSymlinksInPath().path == file.path
    }
    if isInput { throw SessionError.outputIsInput(file: path) }
  }

  /// Checks that a name is not that of standard output, where a file or a folder is to be made.
  static func checkName(_ path: String) throws {
    guard path == ReservedOutput.standardOutput else { return }
    throw SessionError.wrongUse(
      "only lcw convert and lcw extract can write weights to standard output (-); "
        + "name a file or folder (./- is a file called -)")
  }

  /// Checks that weights can go to standard output.
  /// - Parameters:
  ///   - isStreamable: Whether the command writes there at all.
  ///   - format: The format that was named.
  static func checkStandardOutput(isStreamable: Bool, format: String?) throws {
    if !isStreamable { try checkName(ReservedOutput.standardOutput) }
    if format == nil {
      throw SessionError.wrongUse(
        "standard output needs --format, such as --format safetensors (./- is a file called -)")
    }
    if StandardOutput.isTerminal {
      throw SessionError.wrongUse(
        "weights can't be written to a terminal; redirect standard output to a file or a "
          + "command")
    }
  }

  /// Checks a report's file, which must look like one, so that no weights are replaced by a page.
  static func checkReport(_ path: String?) throws {
    guard let path else { return }
    guard ["html", "htm"].contains(URL(fileURLWithPath: path).pathExtension.lowercased()) else {
      throw SessionError.wrongUse("\(path): a report's file name must end in .html")
    }
    try check(path)
    guard FileManager.default.fileExists(atPath: path) else { return }
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw FileError.failed(
        operation: "replace", file: path, reason: "it can't be read, so it may be no report")
    }
    let size = try file.seekToEnd()
    try file.seek(toOffset: size - min(size, 4096))
    let end = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    // As each report of this program ends, of any version.
    guard size == 0 || end.contains("<footer>\n<p>lcw ") else {
      throw SessionError.wrongUse(
        "\(path) exists and is not a report of lcw; name another file, or remove it")
    }
  }
}
