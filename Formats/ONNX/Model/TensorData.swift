// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// The elements of a model's tensors, in its own file or in files beside it; they are read when they are
/// asked for.
struct TensorData: Sendable {
  private let file: InputFile
  private let tensors: [ONNXTensor]
  /// The files beside it, by name.
  private let externals: [String: InputFile]

  /// Opens the files that tensors lie in, and checks that they do.
  /// - Throws: ``ONNXError`` and `FileError`.
  init(of tensors: [ONNXTensor], in file: InputFile, at url: URL) throws {
    var externals: [String: InputFile] = [:]
    for tensor in tensors {
      guard case .external(let name, let offset, let length) = tensor.place else { continue }
      let other =
        try externals[name] ?? TensorData.open(name, beside: url, for: tensor, of: file.path)
      externals[name] = other
      let bytes = length ?? tensor.shape.count * tensor.type.width
      guard offset <= other.size, bytes <= other.size - offset else {
        throw ONNXError.tensor(
          file: file.path, tensor: tensor.name,
          reason: "it has \(bytes) bytes from byte \(offset) of \(name), which has \(other.size)")
      }
    }
    self.file = file
    self.tensors = tensors
    self.externals = externals
  }

  /// Opens a file that a model names: one in the model's folder or below it, and nowhere else.
  private static func open(
    _ name: String, beside url: URL, for tensor: ONNXTensor, of path: String
  ) throws -> InputFile {
    func fault(_ reason: String) -> ONNXError {
      .tensor(file: path, tensor: tensor.name, reason: reason)
    }
    guard url.fragment == nil else {
      throw fault("its elements are in the file \(name) beside the model, which has no folder here")
    }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !name.isEmpty, !name.utf8.contains(0),
      parts.allSatisfy({ !$0.isEmpty && $0 != ".." })
    else {
      throw fault(
        "its elements are in ‘\(name)’, which is not in the model's folder; such files are not opened"
      )
    }
    let folder = url.deletingLastPathComponent().resolvingSymlinksInPath().path
    let target = url.deletingLastPathComponent().appendingPathComponent(name)
      .resolvingSymlinksInPath()
    guard target.path.hasPrefix(folder.hasSuffix("/") ? folder : folder + "/") else {
      throw fault(
        "its elements are in ‘\(name)’, a link that leads out of the model's folder; such files are "
          + "not opened")
    }
    return try InputFile(target)
  }

  /// The description of a tensor.
  subscript(index: Int) -> ONNXTensor { tensors[index] }

  /// The bytes that a tensor takes in its file.
  func storedBytes(of index: Int) -> Int {
    switch tensors[index].place {
    case .typed(_, let parts): parts.reduce(0) { $0 + $1.count }
    case .raw(let range): range.count
    case .external: tensors[index].shape.count * tensors[index].type.width
    }
  }

  /// A tensor with its elements.
  /// - Throws: ``ONNXError`` and `FileError`.
  func tensor(_ index: Int) throws -> StoredTensor {
    let tensor = tensors[index]
    let bytes =
      try contiguousBytes(of: index, in: 0..<tensor.shape.count) ?? typedBytes(of: tensor)
    return try StoredTensor(elementType: tensor.type, shape: tensor.shape, bytes: bytes)
  }

  /// The bytes of a range of a tensor's elements, where they lie one after the other; nothing elsewhere.
  func contiguousBytes(of index: Int, in elements: Range<Int>) throws -> [UInt8]? {
    let tensor = tensors[index]
    let width = tensor.type.width
    func range(from start: Int) -> Range<Int> {
      start + elements.lowerBound * width..<start + elements.upperBound * width
    }
    switch tensor.place {
    case .raw(let raw): return try file.bytes(in: range(from: raw.lowerBound))
    case .external(let name, let offset, _):
      return try externals[name]?.bytes(in: range(from: offset))
    case .typed: return nil
    }
  }

  /// The elements of a tensor that has them in fields for numbers.
  private func typedBytes(of tensor: ONNXTensor) throws -> [UInt8] {
    guard case .typed(let field, let parts) = tensor.place else { return [] }
    let (width, count) = (tensor.type.width, tensor.shape.count)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * width)
    let window = FileWindow(file)
    for part in parts {
      switch field {
      case .float, .double: bytes += try file.bytes(in: part)
      case .int32, .int64, .uint64:
        var reader = WireReader(window, in: part)
        while !reader.isAtEnd {
          let value = try reader.varint()
          for index in 0..<width {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
          }
        }
      }
      guard bytes.count <= count * width else { break }
    }
    guard bytes.count == count * width else {
      throw ONNXError.tensor(
        file: file.path, tensor: tensor.name,
        reason: "it is \(tensor.shape), but has another number of elements")
    }
    return bytes
  }
}
