// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFiles

/// The zip that `torch.save` writes: a folder of `data.pkl`, `byteorder` and `data/` with a file
/// for each storage.
struct TorchZip: StorageBytes {
  /// What the file says of its tensors.
  let pickle: Pickle

  /// Whether each file in the zip has a checksum; `torch.save` can be told to compute none.
  var hasChecksums: Bool { zip.entries.allSatisfy(\.hasChecksum) }

  private let zip: ZipFile
  private var entries: [[UInt8]: ZipEntry] = [:]
  /// The folder's name and a slash.
  private let root: String

  private static let pickleName = "data.pkl"

  /// Whether a zip's entry is the pickle: in a folder, and in no other.
  static func isPickle(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2 && parts[1] == pickleName
  }

  /// - Throws: ``PyTorchError``, `ZipError` and `FileError`.
  init(_ file: URL) throws {
    zip = try ZipFile(file, acceptsMissingChecksums: true)
    let candidates = zip.entries.filter { Self.isPickle($0.name) }
    guard let entry = candidates.first, candidates.count == 1 else {
      throw PyTorchError.notPyTorch(
        file: zip.path,
        reason: candidates.isEmpty
          ? "it has no entry \(Self.pickleName): it may be incomplete, so save it again"
          : "it has \(candidates.count) entries \(Self.pickleName), not one")
    }
    root = String(entry.name.dropLast(Self.pickleName.count))
    for entry in zip.entries { entries[Array(entry.name.utf8)] = entry }
    guard entry.size <= pickleSizeLimit else {
      throw PyTorchError.tooLarge(
        file: zip.path, reason: "its pickle has more than \(pickleSizeLimit) bytes")
    }
    if let order = entries[Array("\(root)byteorder".utf8)] {
      guard order.size <= 16 else {
        throw PyTorchError.notPyTorch(file: zip.path, reason: "its byte order has no name")
      }
      switch String(decoding: try zip.contents(of: order), as: UTF8.self) {
      case "little": break
      case "big": throw PyTorchError.bigEndian(file: zip.path)
      default:
        throw PyTorchError.notPyTorch(file: zip.path, reason: "its byte order has no name")
      }
    }
    let bytes = try zip.contents(of: entry)
    do {
      pickle = try Pickle(parsing: bytes)
    } catch {
      throw PyTorchError.pickle(file: zip.path, error)
    }
    guard pickle.end == bytes.count else {
      throw PyTorchError.notPyTorch(file: zip.path, reason: "something follows the pickle")
    }
  }

  private func entry(of key: String) -> ZipEntry? { entries[Array("\(root)data/\(key)".utf8)] }

  func size(of key: String) -> Int? { entry(of: key)?.size }

  func bytes(of key: String) throws -> [UInt8] {
    guard let entry = entry(of: key) else { return [] }
    return try zip.contents(of: entry)
  }
}
