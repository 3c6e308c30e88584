// SPDX-License-Identifier: Apache-2.0

/// The directory at the end of a zip file, read strictly.
///
/// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT describes it. libarchive reads
/// directories too, but can only walk from the first entry on; with thousands of tensors in an
/// order that is not the file's, that takes hours.
struct ZipDirectory {
  /// The files, in the order of the directory.
  private(set) var entries: [ZipEntry] = []

  private let file: InputFile
  private var names: Set<[UInt8]> = []
  /// Where the directory starts: what it lists lies before.
  private var start = 0

  /// Reads the directory of a file.
  /// - Throws: ``ZipError`` and ``FileError``.
  init(of file: InputFile) throws {
    self.file = file
    let end = try findEnd()
    guard end.size <= end.position, end.start == end.position - end.size else {
      throw damaged("its directory is not where its end says")
    }
    guard end.count <= ZipFile.entryLimit else {
      throw ZipError.tooLarge(
        file: file.path, reason: "it has more than \(ZipFile.entryLimit) entries")
    }
    start = end.start
    var fields = ZipFields(try file.bytes(in: start..<end.position))
    var extents: [Range<Int>] = []
    for _ in 0..<end.count {
      guard let (entry, extent) = try readRecord(&fields) else { continue }
      entries.append(entry)
      extents.append(extent)
    }
    guard fields.isAtEnd else { throw damaged("something follows its last entry") }
    try checkThatNothingIsShared(extents)
  }

  /// Where the directory is, as the record at the file's end says.
  private struct End {
    var count: Int
    var size: Int
    var start: Int
    /// Where the records of the end start.
    var position: Int
  }

  private static let endBytes = 22

  private func findEnd() throws -> End {
    // Behind the record there may be a comment of up to 65,535 bytes.
    let first = max(0, file.size - Self.endBytes - Int(UInt16.max))
    let tail = try file.bytes(in: first..<file.size)
    var place = tail.count - Self.endBytes
    while place >= 0 {
      var fields = ZipFields(tail, from: place)
      if fields.take(4) == 0x0605_4B50 {
        let (disk, firstDisk) = (fields.take(2), fields.take(2))
        let (countHere, count) = (fields.take(2), fields.take(2))
        let (size, start, comment) = (fields.take(4), fields.take(4), fields.take(2))
        if place + Self.endBytes + comment == tail.count {
          guard !fields.isExhausted, disk == 0, firstDisk == 0, countHere == count else {
            throw damaged("it is one part of several")
          }
          let end = End(count: count, size: size, start: start, position: first + place)
          return try findWideEnd(before: end) ?? end
        }
      }
      place -= 1
    }
    throw damaged("it has no directory at its end, so it may be cut")
  }

  /// The end of a file with many entries or bytes: a record in front that another one points to.
  /// PyTorch writes them always. The fields of the plain end are then the same or all ones.
  private func findWideEnd(before end: End) throws -> End? {
    let isNeeded = end.count == 0xFFFF || end.size == 0xFFFF_FFFF || end.start == 0xFFFF_FFFF
    let bytes = try file.bytes(in: max(0, end.position - 20)..<end.position)
    var locator = ZipFields(bytes)
    guard locator.take(4) == 0x0706_4B50 else {
      if isNeeded { throw damaged("its end lacks a part") }
      return nil
    }
    let (disk, place, disks) = (locator.take(4), locator.take(8), locator.take(4))
    guard !locator.isExhausted, disk == 0, disks <= 1, place <= end.position - 20 - 56 else {
      throw damaged("its end lacks a part")
    }
    var fields = ZipFields(try file.bytes(in: place..<place + 56))
    guard fields.take(4) == 0x0606_4B50, fields.take(8) == end.position - 20 - place - 12 else {
      throw damaged("its end lacks a part")
    }
    fields.skip(4)
    guard fields.take(4) == 0, fields.take(4) == 0 else {
      throw damaged("it is one part of several")
    }
    let (countHere, count) = (fields.take(8), fields.take(8))
    let (size, start) = (fields.take(8), fields.take(8))
    guard !fields.isExhausted, countHere == count, end.count == 0xFFFF || end.count == count,
      end.size == 0xFFFF_FFFF || end.size == size, end.start == 0xFFFF_FFFF || end.start == start
    else { throw damaged("its two ends differ") }
    return End(count: count, size: size, start: start, position: place)
  }

  /// The next entry and where it lies in the file; nothing for a folder.
  private mutating func readRecord(
    _ fields: inout ZipFields
  ) throws -> (ZipEntry, Range<Int>)? {
    guard fields.take(4) == 0x0201_4B50 else { throw damaged("its directory is cut") }
    let madeBy = fields.take(2)
    fields.skip(2)
    let (flags, method) = (fields.take(2), fields.take(2))
    fields.skip(4)
    let checksum = UInt32(fields.take(4))
    var (packed, size) = (fields.take(4), fields.take(4))
    let (nameBytes, extraBytes, commentBytes) = (fields.take(2), fields.take(2), fields.take(2))
    fields.skip(4)
    let attributes = fields.take(4)
    var offset = fields.take(4)
    let rawName = fields.bytes(nameBytes)
    let extra = fields.bytes(extraBytes)
    fields.skip(commentBytes)
    guard !fields.isExhausted else { throw damaged("its directory is cut") }
    guard let name = String(validating: rawName, as: UTF8.self) else {
      throw damaged("the name of an entry is not UTF-8")
    }
    func error(_ reason: String) -> ZipError {
      .entry(file: file.path, entry: name, reason: reason)
    }
    guard Self.widen(&size, &packed, &offset, by: extra) else {
      throw error("its size or place is not stated")
    }
    if let problem = ZipFile.problem(withName: name) { throw error(problem) }
    guard names.insert(rawName).inserted else { throw error("it is repeated") }
    // Bits for encryption, strong encryption and a masked directory.
    guard flags & 0x2041 == 0 else { throw error("it is encrypted") }
    guard method == 0 || method == 8 else {
      throw error("it is neither stored nor deflated, but packed by method \(method)")
    }
    // Only files made on Unix say what they are.
    let type = madeBy >> 8 == 3 ? attributes >> 28 : 0
    let isFolder = name.hasSuffix("/")
    guard type == 0 || type == (isFolder ? 0o04 : 0o10) else {
      throw error("it is neither a plain file nor a folder")
    }
    guard method == 8 || packed == size else { throw error("it has two sizes") }
    guard packed <= start, size / ZipFile.largestRatio <= packed else {
      throw ZipError.tooLarge(
        file: file.path, reason: "the entry ‘\(name)’ claims more content than its bytes can hold")
    }
    guard !isFolder else {
      guard size == 0 else { throw error("it is a folder with content") }
      return nil
    }
    let data = try dataStart(at: offset, rawName, (flags, method), checksum, error)
    guard packed <= start - data else { throw error("it ends behind the file") }
    let entry = ZipEntry(
      name: name, size: size, isCompressed: method == 8, storedBytes: packed, dataStart: data,
      checksum: checksum)
    return (entry, offset..<data + packed)
  }

  /// Takes sizes and the place from the record for wide ones, where their fields are all ones.
  private static func widen(
    _ size: inout Int, _ packed: inout Int, _ offset: inout Int, by extra: [UInt8]
  ) -> Bool {
    let all = 0xFFFF_FFFF
    guard size == all || packed == all || offset == all else { return true }
    var fields = ZipFields(extra)
    while !fields.isAtEnd, !fields.isExhausted {
      let (kind, count) = (fields.take(2), fields.take(2))
      guard kind == 1 else {
        fields.skip(count)
        continue
      }
      var wide = ZipFields(fields.bytes(count))
      if size == all { size = wide.take(8) }
      if packed == all { packed = wide.take(8) }
      if offset == all { offset = wide.take(8) }
      return !wide.isExhausted && !fields.isExhausted
    }
    return false
  }

  /// Where an entry's data start, behind a header of its own that has to say the same.
  private func dataStart(
    at offset: Int, _ name: [UInt8], _ kind: (flags: Int, method: Int), _ checksum: UInt32,
    _ error: (String) -> ZipError
  ) throws -> Int {
    guard offset <= start - 30 - name.count else { throw error("it ends behind the file") }
    var fields = ZipFields(try file.bytes(in: offset..<offset + 30 + name.count))
    guard fields.take(4) == 0x0403_4B50 else { throw error("it has no header") }
    fields.skip(2)
    let (flags, method) = (fields.take(2), fields.take(2))
    fields.skip(4)
    let ownChecksum = UInt32(fields.take(4))
    fields.skip(8)
    let (nameBytes, extraBytes) = (fields.take(2), fields.take(2))
    // With bit 3 the checksum follows the data.
    guard flags == kind.flags, method == kind.method, nameBytes == name.count,
      fields.bytes(name.count) == name, flags & 8 != 0 || ownChecksum == checksum
    else { throw error("its header is not what the directory says of it") }
    return offset + 30 + nameBytes + extraBytes
  }

  /// Makes sure that no two entries share bytes, by which a small file could hold a lot.
  private func checkThatNothingIsShared(_ extents: [Range<Int>]) throws(ZipError) {
    var end = 0
    for index in extents.indices.sorted(by: { extents[$0].lowerBound < extents[$1].lowerBound }) {
      guard extents[index].lowerBound >= end else {
        throw .entry(
          file: file.path, entry: entries[index].name, reason: "it overlaps another entry")
      }
      end = extents[index].upperBound
    }
  }

  private func damaged(_ reason: String) -> ZipError {
    .notZip(file: file.path, reason: reason)
  }
}

/// Takes little-endian fields from bytes. Beyond their end it takes zeros and remembers that.
private struct ZipFields {
  private let content: [UInt8]
  private var position: Int
  /// Whether more was taken than there is, or a number that an `Int` does not hold.
  private(set) var isExhausted = false

  init(_ content: [UInt8], from position: Int = 0) {
    self.content = content
    self.position = position
  }

  var isAtEnd: Bool { position == content.count }

  mutating func take(_ width: Int) -> Int {
    let value = bytes(width).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let value = Int(exactly: value) else {
      isExhausted = true
      return 0
    }
    return value
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    guard count <= content.count - position else {
      isExhausted = true
      position = content.count
      return []
    }
    defer { position += count }
    return Array(content[position..<position + count])
  }

  mutating func skip(_ count: Int) { _ = bytes(count) }
}
