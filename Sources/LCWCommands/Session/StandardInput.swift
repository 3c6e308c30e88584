// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFiles

/// Standard input as a file, since formats read at positions.
enum StandardInput {
  /// Copies standard input to a temporary file, a piece at a time.
  static func spooled() throws -> URL {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("lcw-input-\(UUID().uuidString)")
    try AtomicFile.write(to: file) { output in
      while let piece = try FileHandle.standardInput.read(upToCount: 1 << 20), !piece.isEmpty {
        try output.append(Array(piece))
      }
    }
    return file
  }
}
