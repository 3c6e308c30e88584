// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// An `.npy` file whose header has been read and checked.
struct NumPyArrayReader: CheckpointSource {
  /// The name the array gets.
  static let arrayName = "array"

  private let file: InputFile
  private let header: NumPyHeader

  /// - Throws: ``NumPyError``, and `FileError` if the file can't be read.
  init(_ file: InputFile) throws {
    self.file = file
    let start = try file.prefix(NumPyHeader.bytesNeeded(try file.prefix(12)))
    header = try NumPyHeader(parsing: start, file: file.path, array: Self.arrayName)
    try header.check(dataBytes: file.size - header.length, file: file.path, array: Self.arrayName)
  }

  var kind: CheckpointKind { .checkpoint }
  var hasChecksums: Bool? { false }
  var metadata: [String: JSONValue] { [:] }
  var entries: [TensorEntry] {
    guard case .numbers(let type, _) = header.elements else { return [] }
    return [
      TensorEntry(
        name: Self.arrayName, elementType: type, shape: header.shape, storedBytes: file.size)
    ]
  }
  var unreadable: [UnreadableTensor] {
    guard case .foreign(let type, _) = header.elements else { return [] }
    return [
      UnreadableTensor(
        name: Self.arrayName, type: type, shape: header.shape, storedBytes: file.size)
    ]
  }

  func tensor(named name: String) throws -> StoredTensor {
    guard name == Self.arrayName else {
      throw CheckpointError.missingTensor(
        name, nearest: nearestName(to: name, among: [Self.arrayName]))
    }
    _ = try header.numbers(file: file.path, array: name)
    return try header.tensor(
      try file.bytes(in: header.length..<file.size), file: file.path, array: name)
  }

  func elementBytes(of name: String, in elements: Range<Int>) throws -> [UInt8]? {
    guard name == Self.arrayName, header.isRowMajor else { return nil }
    let (type, isBigEndian) = try header.numbers(file: file.path, array: name)
    let start = header.length
    var bytes = try file.bytes(
      in: start + elements.lowerBound * type.width..<start + elements.upperBound * type.width)
    if isBigEndian { reverseBytes(of: &bytes, type) }
    return bytes
  }
}

/// An `.npz` file whose arrays' headers have been read and checked; the elements are read when
/// they are asked for. An array that is damaged, or none of numbers, is listed as unreadable, and is
/// no reason to refuse the others; what is no array is said in the notes.
struct NumPyArchiveReader: CheckpointSource {
  private struct Record: Sendable {
    var entry: ZipEntry
    var header: NumPyHeader
  }

  /// The arrays that can't be read, by the bytes of their names, and why.
  private var damaged: [[UInt8]: any Error] = [:]
  private(set) var notes: [String] = []

  private let zip: ZipFile
  /// The arrays by the bytes of their names.
  private var records: [[UInt8]: Record] = [:]
  /// The arrays, in the order of the file.
  private(set) var entries: [TensorEntry] = []
  private(set) var unreadable: [UnreadableTensor] = []

  /// - Throws: ``NumPyError``, `ZipError` if the zip is damaged, and `FileError` if the file can't
  ///   be read.
  init(_ url: URL) throws {
    zip = try ZipFile(url)
    for entry in zip.entries {
      if let reason = JunkFile.reason(for: entry.name) {
        notes.append("‘\(entry.name.asOneLine)’ is left out: \(reason)")
        continue
      }
      guard let name = NumPyHeader.arrayName(ofEntry: entry.name) else {
        notes.append(
          "‘\(entry.name.asOneLine)’ is left out: it is no array, whose name would end in .npy")
        continue
      }
      do {
        try add(entry, name: name)
      } catch {
        damaged[Array(name.utf8)] = error
        unreadable.append(
          UnreadableTensor(
            name: name, type: "damaged", shape: [entry.size], storedBytes: entry.storedBytes))
      }
    }
  }

  private mutating func add(_ entry: ZipEntry, name: String) throws {
    let start = try zip.start(of: entry, NumPyHeader.bytesNeeded)
    let header = try NumPyHeader(parsing: start, file: zip.path, array: name)
    try header.check(dataBytes: entry.size - header.length, file: zip.path, array: name)
    records[Array(name.utf8)] = Record(entry: entry, header: header)
    switch header.elements {
    case .numbers(let type, _):
      entries.append(
        TensorEntry(
          name: name, elementType: type, shape: header.shape, storedBytes: entry.storedBytes))
    case .foreign(let type, _):
      unreadable.append(
        UnreadableTensor(
          name: name, type: type, shape: header.shape, storedBytes: entry.storedBytes))
    }
  }

  var kind: CheckpointKind { .checkpoint }
  var hasChecksums: Bool? { true }
  var metadata: [String: JSONValue] { [:] }

  func tensor(named name: String) throws -> StoredTensor {
    guard let record = records[Array(name.utf8)] else {
      if let error = damaged[Array(name.utf8)] { throw error }
      throw CheckpointError.missingTensor(
        name, nearest: nearestName(to: name, among: entries.map(\.name)))
    }
    _ = try record.header.numbers(file: zip.path, array: name)
    return try record.header.tensor(
      try zip.contents(of: record.entry, from: record.header.length), file: zip.path, array: name)
  }
}

extension NumPyHeader {
  /// Makes sure that an array's elements are as many bytes as there are behind its header.
  fileprivate func check(dataBytes found: Int, file: String, array: String) throws(NumPyError) {
    guard let dataBytes, found != dataBytes else { return }
    throw .array(
      file: file, array: array,
      reason: "its elements take \(dataBytes) bytes, but \(found) follow the header")
  }
}

/// Files that systems and programs leave in a zip, and nobody put there.
private enum JunkFile {
  /// Why a file is left out; nothing if it is none of these.
  static func reason(for name: String) -> String? {
    let parts = name.split(separator: "/")
    if parts.contains("__MACOSX") || parts.last?.hasPrefix("._") == true {
      return "macOS keeps a file's attributes in it"
    }
    return [".DS_Store", "Thumbs.db", "desktop.ini"].contains(parts.last.map(String.init) ?? "")
      ? "a file browser left it" : nil
  }
}
