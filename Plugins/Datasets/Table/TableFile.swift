// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWFiles

/// Tells files that were taken for tables and are none.
enum TableFile {
  /// What a file is that is clearly no table, with what to do; nothing for any other.
  /// - Parameter start: Its first bytes.
  static func foreign(_ file: InputFile, start: [UInt8]) throws -> String? {
    if start.starts(with: Array("version https://git-lfs.github.com/spec/".utf8)) {
      return "it is a pointer of Git LFS, not the table itself; fetch this with git lfs pull"
    }
    let text = String(decoding: start.prefix(512), as: UTF8.self)
      .drop { $0.isWhitespace || $0 == "\u{FEFF}" }.lowercased()
    if ["<!doctype html", "<html", "<?xml"].contains(where: { text.hasPrefix($0) }) {
      return "it is a web page or XML, not a table; download the file itself"
    }
    // Text may begin with the letters that mark a binary file, but has no such bytes.
    let isBinary = start.prefix(2048).contains { $0 < 9 || (14..<32).contains($0) && $0 != 27 }
    guard isBinary, file.size >= 8 else { return nil }
    if start.starts(with: [0x50, 0x4B, 3, 4]) {
      return "it is a zip file, as .xlsx files are; unpack it first, or save the sheet as CSV"
    }
    let end = try file.bytes(in: max(0, file.size - 22)..<file.size)
    return ForeignContent(start: start, end: end, size: file.size).map { content in
      let isOfUse = content.advice.hasPrefix("unpack") || content.advice.hasPrefix("download")
      return "it \(content.what); \(isOfUse ? content.advice : "name a CSV or TSV file")"
    }
  }
}
