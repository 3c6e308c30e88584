// SPDX-License-Identifier: Apache-2.0
public import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Folders for files.
public enum Folder {
  /// Makes a folder and those above it, unless they are there.
  /// - Throws: ``FileError``, which names the file that stands where a folder should.
  public static func make(_ folder: URL) throws(FileError) {
    var place = folder.standardizedFileURL
    while place.path != "/" {
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) {
        guard isFolder.boolValue else {
          throw .failed(
            operation: "make the folder", file: folder.path,
            reason: "\(place.path) is a file, where a folder is needed; name another")
        }
        break
      }
      place.deleteLastPathComponent()
    }
    // Foundation's reasons are others than those the system gives for files.
    let missing = folder.standardizedFileURL.pathComponents.dropFirst(place.pathComponents.count)
    for name in missing {
      place.appendPathComponent(name)
      guard mkdir(place.path, 0o777) == 0 || errno == EEXIST else {
        throw .system("make the folder", file: folder.path, code: errno)
      }
    }
  }
}
