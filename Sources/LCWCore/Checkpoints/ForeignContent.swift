// SPDX-License-Identifier: Apache-2.0

/// What a file is that was taken for a checkpoint and is none: what a broken download leaves, the
/// files of other programs, and what a checkpoint is often packed into.
public struct ForeignContent: Sendable, Hashable {
  /// What the file is or holds, as in “is empty”.
  public let what: String
  /// What to do about it.
  public let advice: String

  /// A description.
  public init(what: String, advice: String) {
    self.what = what
    self.advice = advice
  }

  /// What a file is that no format recognises; nothing if it is like nothing that is known.
  ///
  /// - Parameters:
  ///   - start: Its first bytes: all, or at least 512.
  ///   - end: Its last bytes: all, or at least 22.
  ///   - size: Its size in bytes.
  public init?(start: [UInt8], end: [UInt8], size: Int) {
    let again = "download or copy it again"
    guard size > 0 else {
      self.init(what: "is empty", advice: again)
      return
    }
    if start.allSatisfy({ $0 == 0 }) {
      self.init(what: "starts with zero bytes only, as an unfinished download", advice: again)
      return
    }
    if let known = ForeignContent.marks.first(where: { start.has($0.mark, at: $0.offset) }) {
      self.init(what: known.what, advice: known.advice)
      return
    }
    if start.prefix(4096).firstRange(of: Array("\"data_offsets\"".utf8)) != nil {
      let length = start.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      if size > 8, length <= UInt64(size - 8) {
        // The length of the header is there, so that nothing is missing before it.
        let isMarked = start.has([0xEF, 0xBB, 0xBF], at: 8)
        self.init(
          what: "is like a Safetensors file, but its header starts with "
            + (isMarked ? "a byte order mark" : "other bytes than a brace"),
          advice: "write it again with the safetensors library")
        return
      }
      self.init(
        what: "starts within the header of a Safetensors file, so its first bytes are missing",
        advice: again)
      return
    }
    if let packed = ForeignContent.tar(start) ?? ForeignContent.text(start) {
      self = packed
      return
    }
    if end.suffix(22).starts(with: [0x50, 0x4B, 5, 6]) {
      self.init(
        what: "ends as a zip file does, such as one of PyTorch or NumPy, but does not start so",
        advice: "its start is missing or something stands before it; " + again)
      return
    }
    if start[0] == 0x80, start.count > 1, (2...5).contains(start[1]) {
      self.init(
        what: "is a pickle of Python, but not one of torch.save",
        advice: "load it in Python and save the tensors by torch.save or numpy.savez")
      return
    }
    if size < 8 {
      self.init(what: "has only \(size) bytes", advice: again)
      return
    }
    return nil
  }

  private struct Mark {
    var mark: [UInt8]
    var offset: Int
    var what: String
    var advice: String

    init(_ mark: [UInt8], offset: Int = 0, _ what: String, _ advice: String) {
      (self.mark, self.offset, self.what, self.advice) = (mark, offset, what, advice)
    }

    init(_ text: String, offset: Int = 0, _ what: String, _ advice: String) {
      self.init(Array(text.utf8), offset: offset, what, advice)
    }
  }

  private static let marks: [Mark] = {
    let save = "save its weights as Safetensors, .npz or .pt in the program that wrote it"
    let no = "name a file of weights"
    return [
      Mark(
        "version https://git-lfs.github.com/spec/",
        "is a pointer of Git LFS, not the weights themselves",
        "fetch these with git lfs pull, or download the file itself"),
      Mark([0x1F, 0x8B], "is compressed with gzip", "unpack it first, as with gunzip"),
      Mark([0xFD, 0x37, 0x7A, 0x58, 0x5A], "is compressed with xz", "unpack it first, with unxz"),
      Mark("BZh", "is compressed with bzip2", "unpack it first, with bunzip2"),
      Mark([0x28, 0xB5, 0x2F, 0xFD], "is compressed with zstd", "unpack it first, with unzstd"),
      Mark([0x37, 0x7A, 0xBC, 0xAF], "is a 7z archive", "unpack it first, and name a file in it"),
      Mark("Rar!", "is a RAR archive", "unpack it first, and name a file in it"),
      Mark(
        [0x50, 0x4B, 3, 4], "is a zip file of other things than tensors of PyTorch or NumPy",
        "unpack it first, and name a file in it"),
      Mark([0x89] + Array("HDF".utf8), "is an HDF5 file, as Keras writes", save),
      Mark("GGUF", "is a GGUF file", save),
      Mark("TFL3", offset: 4, "is a TensorFlow Lite model", save),
      Mark("MATLAB 5.0", "is a file of MATLAB", save),
      Mark("PAR1", "is a Parquet file", no), Mark("%PDF", "is a PDF document", no),
      Mark([0x89] + Array("PNG".utf8), "is a PNG image", no),
      Mark([0xFF, 0xD8, 0xFF], "is a JPEG image", no), Mark("GIF8", "is a GIF image", no),
      Mark([0x7F] + Array("ELF".utf8), "is a program or a library", no),
      Mark("SQLite format 3", "is a database of SQLite", no),
    ]
  }()

  /// A tar of other things than an archive of weights.
  private static func tar(_ start: [UInt8]) -> ForeignContent? {
    guard start.has(Array("ustar".utf8), at: 257) else { return nil }
    let name = String(decoding: start[..<100].prefix { $0 != 0 }, as: UTF8.self)
    return ForeignContent(
      what: "is a tar, whose first entry is ‘\(name.asOneLine)’",
      advice: "unpack it first, and name a file in it")
  }

  /// Text: pages of the web, JSON, messages of a server.
  private static func text(_ start: [UInt8]) -> ForeignContent? {
    let head = start.prefix(2048)
    // A character may be cut where the bytes end.
    let isText =
      String(validating: head, as: UTF8.self) != nil
      || (1...3).contains { String(validating: head.dropLast($0), as: UTF8.self) != nil }
    guard isText, !head.contains(where: { $0 < 9 || (14..<32).contains($0) && $0 != 27 }) else {
      return nil
    }
    let text = String(decoding: head, as: UTF8.self)
    let words = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }.lowercased()
    if words.hasPrefix("<!doctype html") || words.hasPrefix("<html") || words.contains("<head>") {
      return ForeignContent(
        what: "is a web page, not weights",
        advice: "the address may want a login or be that of a page about the file; "
          + "download the file itself")
    }
    if words.hasPrefix("<?xml") || words.hasPrefix("<") {
      return ForeignContent(
        what: "is XML or HTML, such as the error message of a server",
        advice: "download the file itself")
    }
    if words.hasPrefix("{") || words.hasPrefix("[") {
      return ForeignContent(
        what: "is JSON, but no index of a checkpoint's files, which has a weight_map",
        advice: "name the file of weights")
    }
    let line = text.split(whereSeparator: \.isNewline).first.map { $0.prefix(60) } ?? ""
    return ForeignContent(
      what: "is text, which starts with ‘\(String(line).asOneLine)’",
      advice: "name the file of weights, or download it again")
  }
}

extension [UInt8] {
  /// Whether some bytes stand at a place.
  fileprivate func has(_ mark: [UInt8], at offset: Int) -> Bool {
    count >= offset + mark.count && self[offset..<offset + mark.count].elementsEqual(mark)
  }
}
