// SPDX-License-Identifier: Apache-2.0
import CArchive
import Foundation
import LCWCore

extension OpaquePointer {
  /// Why the last call on this `struct archive` failed, in one line.
  var reason: String {
    archive_error_string(self).map { String(cString: $0).asOneLine }
      ?? "libarchive gives no reason"
  }

  /// Why the last call that wrote to this `struct archive` failed. Of what the system refused
  /// libarchive says no more than that it could not write; the system's own reason is kept beside.
  package var writeReason: String {
    let code = archive_errno(self)
    guard reason == "Write error", code > 0 else { return reason }
    return String(cString: strerror(code))
  }
}
