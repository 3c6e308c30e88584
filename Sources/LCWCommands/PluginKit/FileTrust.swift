// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Who can change a file that is to be run.
enum FileTrust {
  /// Whether everybody can write to a file, or put files into a folder; links are followed.
  static func isOpenToAll(_ place: URL) -> Bool {
    mode(of: place).map { $0 & S_IWOTH != 0 } ?? false
  }

  /// The place by which everybody could put another file where this one is: the file itself, or a
  /// folder above it, or above a link to it, that everybody can write to. In a folder such as `/tmp`
  /// whose files only their owners can rename, those of others are safe.
  static func placeOpenToAll(of file: URL) -> URL? {
    for start in [file.standardizedFileURL, file.resolvingSymlinksInPath()] {
      if isOpenToAll(start) { return start }
      var folder = start
      while folder.path != "/" {
        folder.deleteLastPathComponent()
        if let mode = mode(of: folder), mode & S_IWOTH != 0, mode & S_ISVTX == 0 { return folder }
      }
    }
    return nil
  }

  private static func mode(of place: URL) -> mode_t? {
    var status = stat()
    return stat(place.path, &status) == 0 ? status.st_mode : nil
  }
}
