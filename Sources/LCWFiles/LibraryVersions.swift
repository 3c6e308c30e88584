// SPDX-License-Identifier: Apache-2.0
import CArchive
import CZlib

/// The versions of the libraries that files are read and written with.
public enum LibraryVersions {
  /// One line with the name and version of each.
  public static var text: String {
    let archive = archive_version_details().map { String(cString: $0) } ?? "libarchive"
    return "\(archive); zlib \(zlibVersion().map { String(cString: $0) } ?? "")"
  }
}
