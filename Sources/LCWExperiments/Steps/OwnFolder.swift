// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFiles

/// Writing within a folder that is the program's own, and never through a link to another: what a link
/// points to is somebody's, whoever put the link there.
enum OwnFolder {
  /// Makes a folder and those above it, unless they are there.
  /// - Throws: `FileError` if it is a link, or can't be made.
  static func make(_ folder: URL) throws(FileError) {
    guard !isLink(folder) else {
      throw .failed(
        operation: "write to", file: folder.path,
        reason: "it is a link, and this folder must be one of its own; remove the link")
    }
    try Folder.make(folder)
  }

  /// Writes a file; a link of its name is replaced, not followed.
  /// - Throws: `FileError`.
  static func write(_ text: String, to file: URL) throws {
    try AtomicFile.write(Array(text.utf8), to: file, links: .replaced)
  }

  /// Makes sure that a file that will be written is not another's.
  /// - Throws: `FileError` if there is a link that can't be removed.
  static func removeLink(_ file: URL) throws(FileError) {
    guard isLink(file), unlink(file.path) != 0, errno != ENOENT else { return }
    throw .failed(
      operation: "replace the link", file: file.path, reason: String(cString: strerror(errno)))
  }

  private static func isLink(_ file: URL) -> Bool {
    var status = stat()
    return lstat(file.path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }
}
