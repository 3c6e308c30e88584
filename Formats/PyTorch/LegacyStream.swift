// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFiles
import LCWNumerics

/// The stream that `torch.save` wrote before version 1.6, and still does when asked to: pickles of
/// a magic number, the version, the machine, the value and the keys of the storages, and then each
/// storage with its number of elements in front.
struct LegacyStream: StorageBytes {
  /// What the file says of its tensors.
  let pickle: Pickle

  private let file: InputFile
  private var ranges: [[UInt8]: Range<Int>] = [:]

  /// The magic number, 0x1950a86a20f9469cfc6c, as a pickle states it.
  private static let magic: [UInt8] = [
    0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  /// Whether the bytes start with a pickle of the magic number: behind the protocol's number, and
  /// from protocol 4 on the length of a frame.
  static func recognises(_ start: [UInt8]) -> Bool {
    guard start.count >= 2, start[0] == 0x80 else { return false }
    let rest = start.dropFirst(2)
    return rest.starts(with: magic)
      || rest.first == 0x95 && rest.dropFirst(9).starts(with: magic)
  }

  /// - Throws: ``PyTorchError`` and `FileError`.
  init(_ url: URL) throws {
    let file = try InputFile(url)
    self.file = file
    let pickles = try Self.pickles(of: file)
    guard pickles[1].root == .integer(1001) else {
      throw PyTorchError.notPyTorch(file: file.path, reason: "its version is not 1001")
    }
    guard case .dictionary(let index) = pickles[2].root else {
      throw PyTorchError.notPyTorch(file: file.path, reason: "its machine is not described")
    }
    let machine = pickles[2].dictionaries[index]
    for (key, value) in zip(machine.keys, machine.values)
    where key == .string("little_endian") && value != .bool(true) {
      throw PyTorchError.bigEndian(file: file.path)
    }
    pickle = pickles[3]
    guard case .list(let index) = pickles[4].root else {
      throw PyTorchError.notPyTorch(file: file.path, reason: "its storages are not listed")
    }
    try addRanges(of: pickles[4].lists[index], from: pickles[4].end)
  }

  /// The five pickles. How long they are shows only when they are read.
  private static func pickles(of file: InputFile) throws -> [Pickle] {
    var count = 1 << 16
    while true {
      let bytes = try file.prefix(min(count, pickleSizeLimit))
      do {
        var pickles: [Pickle] = []
        for _ in 0..<5 {
          pickles.append(try Pickle(parsing: bytes, from: pickles.last?.end ?? 0))
        }
        return pickles
      } catch PickleError.truncated where bytes.count < file.size {
        guard bytes.count < pickleSizeLimit else {
          throw PyTorchError.tooLarge(
            file: file.path, reason: "its pickles have more than \(pickleSizeLimit) bytes")
        }
        count *= 8
      } catch {
        throw PyTorchError.pickle(file: file.path, error)
      }
    }
  }

  /// Finds the storages, each behind its number of elements; the types are those that the pickle
  /// states.
  private mutating func addRanges(of keys: [PickleValue], from start: Int) throws {
    func error(_ reason: String) -> PyTorchError {
      .notPyTorch(file: file.path, reason: reason)
    }
    var stated: [[UInt8]: PickledStorage] = [:]
    for storage in pickle.storages { stated[Array(storage.key.utf8)] = storage }
    var position = start
    for value in keys {
      guard case .string(let key) = value, let storage = stated[Array(key.utf8)] else {
        throw error("it lists a storage that no tensor has")
      }
      guard file.size - position >= 8 else { throw error("it ends before a storage") }
      let count = try file.bytes(in: position..<position + 8).reversed()
        .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      position += 8
      guard count == UInt64(storage.count) else {
        throw error("a storage has \(count) elements, but \(storage.count) by the pickle")
      }
      let (size, overflow) = storage.count.multipliedReportingOverflow(by: storage.width)
      guard !overflow, size <= file.size - position else { throw error("it ends in a storage") }
      guard ranges.updateValue(position..<position + size, forKey: Array(key.utf8)) == nil else {
        throw error("it lists a storage twice")
      }
      position += size
    }
    guard position == file.size else {
      throw error("\(file.size - position) bytes follow its storages")
    }
  }

  var hasChecksums: Bool { false }

  func size(of key: String) -> Int? { ranges[Array(key.utf8)]?.count }

  func bytes(of key: String) throws -> [UInt8] {
    guard let range = ranges[Array(key.utf8)] else { return [] }
    return try file.bytes(in: range)
  }
}

extension PickledStorage {
  /// The bytes of an element.
  var width: Int { elementType?.width ?? 1 }
}
