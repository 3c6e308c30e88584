// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// A file of unsigned bytes in LeCun's idx layout, checked.
///
/// It starts with two bytes of 0, the element type (8 for unsigned bytes), the number of
/// dimensions, and each size as a big-endian word of 32 bits; the bytes follow, row by row.
struct IDXFile {
  /// The sizes, outermost first.
  let sizes: [Int]
  /// The elements, row by row.
  let bytes: [UInt8]

  // Four times the largest file of MNIST.
  private static let sizeLimit = 200_000_000

  /// Reads a file, gzipped or not.
  /// - Parameter sizes: The sizes it must have; nothing for one that may be any but 0.
  /// - Throws: ``DataError/damaged(file:reason:)``, and `FileError` if it can't be read.
  init(_ file: URL, sizes expected: [Int?]) throws {
    var bytes = try Gzip.contents(of: file, limit: IDXFile.sizeLimit)
    func damaged(_ reason: String) -> DataError { .damaged(file: file.path, reason: reason) }

    let headerCount = 4 + 4 * expected.count
    guard bytes.count >= headerCount else {
      throw damaged(
        "an idx header of \(expected.count) dimensions takes \(headerCount) bytes, but the file "
          + "has \(bytes.count)")
    }
    let magic = bytes[..<4].map { String(format: "%02X", $0) }.joined(separator: " ")
    let expectedMagic = String(format: "00 00 08 %02X", expected.count)
    guard magic == expectedMagic else {
      throw damaged(
        "an idx file of unsigned bytes in \(expected.count) dimensions starts with "
          + "\(expectedMagic), but this one with \(magic)")
    }
    let sizes = expected.indices.map { axis in
      bytes[4 + 4 * axis..<8 + 4 * axis].reduce(0) { $0 << 8 | Int($1) }
    }
    for (axis, size) in sizes.enumerated() where size != expected[axis] ?? max(1, size) {
      let wanted = expected[axis].map(String.init) ?? "at least 1"
      throw damaged("size \(axis + 1) should be \(wanted), but the header says \(size)")
    }
    guard let shape = try? Shape(checking: sizes), bytes.count - headerCount == shape.count else {
      throw damaged(
        "\(sizes.map(String.init).joined(separator: "×")) bytes should follow the header, but "
          + "\(bytes.count - headerCount) do")
    }
    bytes.removeSubrange(..<headerCount)
    self.sizes = sizes
    self.bytes = bytes
  }
}
