// SPDX-License-Identifier: Apache-2.0
public import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Files that have no name, so that nothing of them is left behind however the process ends.
public enum TemporaryFile {
  /// Copies what a descriptor gives, up to its end, to a file that only this user can read and that
  /// no folder lists, and calls `body` with a URL that opens it as long as `body` runs. What `body`
  /// opened stays readable.
  /// - Parameters:
  ///   - descriptor: Where to read.
  ///   - name: What ``InputFile`` calls the file in messages.
  ///   - folder: A folder with room for it.
  /// - Throws: ``FileError``, and what `body` throws.
  public static func withCopy<Result>(
    of descriptor: Int32, named name: String, in folder: URL, _ body: (URL) throws -> Result
  ) throws -> Result {
    let copy = try NamelessFile(beside: folder.appendingPathComponent("lcw-input"))
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError.system("read", file: name, code: errno) }
      if count == 0 { break }
      try copy.append(buffer[..<count])
    }
    return try body(InputFile.url(ofDescriptor: copy.descriptor, named: name))
  }
}

/// A file whose name is gone as soon as it is open.
private struct NamelessFile: ~Copyable {
  let descriptor: Int32
  private let path: String

  init(beside target: URL) throws(FileError) {
    path = AtomicFile.temporaryPath(beside: target)
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system("create", file: path, code: errno) }
    unlink(path)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  borrowing func append(_ bytes: ArraySlice<UInt8>) throws(FileError) {
    try writeBytes(Array(bytes), to: descriptor, path: path)
  }
}
