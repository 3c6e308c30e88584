// SPDX-License-Identifier: Apache-2.0
import CFileSystem
public import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension AtomicFile {
  /// Gives a file that lies whole in the same folder the name of another, if the name still stands for
  /// that one.
  ///
  /// The two files change names in one step, and what came out is looked at afterwards: so a file that takes
  /// the name at the last moment is not lost.
  /// - Parameters:
  ///   - file: The name.
  ///   - identity: What it has to stand for.
  ///   - written: The whole file, which has the name then.
  /// - Returns: Whether it was replaced. If not, both files keep their names.
  /// - Throws: ``FileError``.
  public static func replace(
    _ file: URL, ifItIs identity: FileIdentity, by written: URL
  ) throws(FileError) -> Bool {
    let file = try target(of: file)
    let own = FileIdentity(of: written)
    guard FileIdentity(of: file) == identity else { return false }
    if let mode = try permissions(of: file, existing: .replaced), chmod(written.path, mode) != 0 {
      throw .system("set the permissions of", file: file.path, code: errno)
    }
    // Its content is on the disk before it has the name.
    try sync(written)
    guard try exchange(written, file) else {
      // The file system can't: what takes the name between here and there would be replaced.
      try publish(written, as: file, existing: .replaced)
      return true
    }
    guard FileIdentity(of: written) == identity else {
      // Somebody's file goes back to its name, and so does one that took the name meanwhile.
      repeat {
        do throws(FileError) { _ = try exchange(written, file) } catch {
          // The name is gone. A link does not replace what may have it by now.
          link(written.path, file.path)
          throw error
        }
      } while FileIdentity(of: written) != own
      return false
    }
    // What it was has the other name now, and is of no use any more.
    unlink(written.path)
    try sync(file)
    return true
  }

  /// Exchanges the names of two files in one step.
  /// - Returns: Whether the system can do that; if not, nothing has changed.
  private static func exchange(_ a: URL, _ b: URL) throws(FileError) -> Bool {
    if lcw_exchange_names(a.path, b.path) == 0 { return true }
    guard [EINVAL, ENOSYS, EOPNOTSUPP, EPERM].contains(errno) else {
      throw .system("rename to", file: b.path, code: errno)
    }
    return false
  }
}
