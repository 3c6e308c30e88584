// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWFormat
import LCWNumerics
import Testing

/// Archives whose manifest is wrong.
struct ManifestTests {
  private let parts: ArchiveParts

  init() throws {
    parts = try ArchiveParts(
      of: Checkpoint(
        metadata: ["a": 1],
        tensors: [
          NamedTensor("aa", try tensor(.float32, [2, 2], [UInt8](repeating: 1, count: 16))),
          NamedTensor("bb", try tensor(.uint8, [3], [1, 2, 3])),
          NamedTensor("cc", try tensor(.int32, [300], [UInt8](repeating: 5, count: 1200))),
        ]))
  }

  /// A manifest's text, a replacement, and what the error must say.
  struct Fault: Sendable, CustomTestStringConvertible {
    var text: String
    var replacement: String
    var reason: String
    var testDescription: String { "\(text) → \(replacement)" }

    init(_ text: String, _ replacement: String, _ reason: String) {
      self.text = text
      self.replacement = replacement
      self.reason = reason
    }
  }

  static let faults: [Fault] = [
    // The JSON itself.
    Fault("{\"format\"", "\u{FEFF}{\"format\"", "byte 0"),
    Fault("{\"format\"", "{} {\"format\"", "extra text after the value"),
    Fault("\"segments\":[", "\"segments\":", "at byte"),
    Fault("\"version\":1", "\"version\":1,\"version\":1", "is repeated"),
    Fault("\"version\":1", "\"version\":1,\"versio\\u006E\":1", "is repeated"),
    Fault("\"a\":1", "\"a\":\"\\ud800\"", "surrogate"),
    Fault("\"a\":1", "\"a\":\"\\udc00\"", "surrogate"),
    Fault("\"a\":1", "\"a\":\"\\ud800\\u0041\"", "surrogate"),
    Fault("\"a\":1", "\"a\":\"\u{1}\"", "control character"),
    Fault("\"a\":1", "\"a\":null", "null"),
    Fault("\"a\":1", "\"a\":NaN", "at byte"),
    Fault("\"a\":1", "\"a\":[[[1]]]", "nested deeper"),
    Fault("\"a\":1", "\"a\":\(String(repeating: "[", count: 100_000))", "nested deeper"),
    Fault("\"a\":1", "\"a\":9007199254740992", "beyond"),
    Fault("\"a\":1", "\"a\":1e400", "too large"),
    // The fields.
    Fault("\"format\":\"lcw\"", "\"format\":\"LCW\"", "another format"),
    Fault("\"format\":\"lcw\",", "", "format: the field is missing"),
    Fault("\"kind\":\"checkpoint\"", "\"kind\":\"\"", "kind"),
    Fault("\"kind\":\"checkpoint\"", "\"kind\":\"Check point\"", "kind"),
    Fault("\"chunk\":524288", "\"chunk\":0", "power of two"),
    Fault("\"chunk\":524288", "\"chunk\":3", "power of two"),
    Fault("\"chunk\":524288", "\"chunk\":1025", "power of two"),
    Fault("\"chunk\":524288", "\"chunk\":512", "power of two"),
    Fault("\"chunk\":524288", "\"chunk\":33554432", "power of two"),
    Fault("\"chunk\":524288", "\"chunk\":1099511627776", "power of two"),
    Fault("\"metadata\"", "\"extra\":1,\"metadata\"", "extra: the field is not known"),
    Fault("\"segments\":[", "\"segments\":[8589934592,", "no integer"),
    // Tensors.
    Fault("\"name\":\"bb\"", "\"name\":\"aa\"", "two of this name"),
    Fault("\"name\":\"bb\"", "\"name\":\"a\"", "order"),
    Fault("\"name\":\"bb\"", "\"name\":\"\"", "the name is empty"),
    Fault("\"name\":\"bb\"", "\"name\":\"b\\u0000\"", "control character"),
    Fault("\"name\":\"bb\"", "\"name\":\"b\\u0085\"", "control character"),
    Fault("\"name\":\"bb\"", "\"name\":\"\(String(repeating: "b", count: 513))\"", "513 bytes"),
    Fault("\"name\":\"bb\",", "\"name\":\"bb\",\"order\":\"F\",", "order: the field is not known"),
    Fault("\"dtype\":\"u8\"", "\"dtype\":\"u4\"", "‘u4’ is not known"),
    Fault("\"dtype\":\"u8\"", "\"dtype\":\"u16\"", "‘u16’ is not one of version 1.0"),
    Fault("\"dtype\":\"u8\"", "\"dtype\":\"U8\"", "‘U8’ is not known"),
    Fault("\"shape\":[3]", "\"shape\":[1,1,1,1,1,1,1,1,3]", "9 dimensions"),
    Fault("\"shape\":[3]", "\"shape\":[2,9223372036854775808]", "too large"),
    Fault("\"shape\":[3]", "\"shape\":[0,9223372036854775808,4]", "too large"),
    Fault("\"shape\":[3]", "\"shape\":[0,4503599627370496,4096]", "too large"),
    Fault(
      "\"shape\":[3]", "\"shape\":[0,9223372036854775807]",
      "a dimension is the integer 9223372036854775807, more than 2⁵³ − 1"),
    Fault("\"shape\":[3]", "\"shape\":[-1]", "a dimension is no integer from 0 to 2⁵³ − 1"),
    Fault("\"shape\":[3]", "\"shape\":[4503599627370496]", "bytes of tensors"),
    Fault("\"shape\":[2,2]", "\"shape\":[4503599627370496,1024]", "bytes of tensors"),
    Fault("\"shape\":[3]", "\"shape\":[0]", "can't hold its 0"),
    Fault("\"shape\":[3]", "\"shape\":[524289]", "can't hold its 524289"),
    Fault("\"shape\":[3]", "\"shape\":[524288]", "holds 3 bytes"),
    Fault("\"shape\":[3]", "\"shape\":[2]", "holds 3 bytes, but 2"),
    Fault("\"transform\":\"planes\"", "\"transform\":\"rotl1\"", "is not for i32"),
    Fault("\"transform\":\"planes\"", "\"transform\":\"exp5\"", "is not for i32"),
    Fault("\"transform\":\"planes\"", "\"transform\":\"exp9\"", "is not known"),
    Fault("\"transform\":\"planes\"", "\"transform\":\"none\"", "but 1200 are needed"),
    Fault(
      "\"u8\",\"shape\":[3],\"transform\":\"none\"",
      "\"u8\",\"shape\":[3],\"transform\":\"planes\"", "is not for u8"),
    Fault(
      "\"f32\",\"shape\":[2,2],\"transform\":\"none\"",
      "\"f32\",\"shape\":[2,2],\"transform\":\"planes\"", "is not for f32"),
    Fault(
      "\"segment\":0,\"offset\":29", "\"segment\":1,\"offset\":0", "before segment 0 is filled"),
    Fault("\"segment\":0,\"offset\":0", "\"segment\":1,\"offset\":0", "but 0 comes next"),
    Fault("\"offset\":29", "\"offset\":28", "ends at 29"),
    Fault("\"offset\":29", "\"offset\":30", "ends at 29"),
    Fault("\"stored\":29", "\"stored\":28", "ends at 28"),
    Fault("\"stored\":29", "\"stored\":9007199254740991", "ends behind its segment"),
    Fault(
      "\"stored\":29},{\"name\":\"bb\"", "\"stored\":0},{\"name\":\"bb\"",
      "but the tensor before it ends at 0"),
    Fault("\"stored\":16}", "\"stored\":16,\"sha256\":\"00\"}", "hexadecimal"),
    Fault(
      "\"stored\":16}",
      "\"stored\":16,\"sha256\":\"\(String(repeating: "A", count: 64))\"}", "hexadecimal"),
    Fault("\"stored\":16}", "\"stored\":16,\"sha256\":1}", "sha256: it is not a text"),
  ]

  @Test(arguments: faults)
  func isRefused(_ fault: Fault) throws {
    try expectRefusal(
      try parts.replacing(fault.text, by: fault.replacement).bytes, saying: fault.reason)
  }

  /// The fields with a value that each has in the archive.
  private static let fields: [(field: String, value: String, type: String)] = [
    ("format", "\"lcw\"", "a text"), ("version", "1", "an integer"),
    ("minor", "0", "an integer"), ("kind", "\"checkpoint\"", "a text"),
    ("chunk", "524288", "an integer"), ("metadata", "{\"a\":1}", "an object"),
    ("name", "\"bb\"", "a text"), ("dtype", "\"u8\"", "a text"), ("shape", "[3]", "a list"),
    ("transform", "\"planes\"", "a text"), ("segment", "0", "an integer"),
    ("offset", "29", "an integer"), ("stored", "29", "an integer"),
  ]

  @Test func everyFieldIsNeededAndOfItsType() throws {
    let values = ["\"x\"", "7", "1.5", "true", "[]", "{}"]
    for (field, value, type) in Self.fields {
      let member = "\"\(field)\":\(value)"
      func refuses(_ replacement: String, _ reason: String) throws {
        try expectRefusal(
          try parts.replacing(member, by: replacement).bytes, saying: reason,
          "\(member) → \(replacement)")
      }
      try refuses("\"\(field)s\":\(value)", "\(field): the field is missing")
      try refuses("\"\(field)\":null", "null")
      let others = values.filter { other in
        switch type {
        case "a text": !other.hasPrefix("\"")
        case "an integer": other != "7"
        case "a list": other != "[]"
        default: other != "{}"
        }
      }
      for other in others { try refuses("\"\(field)\":\(other)", "\(field): it is not \(type)") }
    }
    for other in ["\"x\"", "7", "1.5", "true", "{}"] {
      try expectRefusal(
        try parts.replacing("\"segments\":[", by: "\"segments\":\(other),\"x\":[").bytes,
        saying: "segments: it is not a list")
      try expectRefusal(
        try parts.replacing("\"tensors\":[", by: "\"tensors\":\(other),\"x\":[").bytes,
        saying: "tensors: it is not a list")
    }
    try expectRefusal(
      try parts.replacing("\"tensors\":[", by: "\"tensors\":[7,").bytes,
      saying: "tensor 0: it is not an object")
  }

  @Test func integersArePlainDigitsInTheirRange() throws {
    let spellings = [
      ("1.0", "integer"), ("1e3", "integer"), ("-1", "integer"), ("01", "starts with a zero"),
      ("9007199254740992", "integer"), ("18446744073709551616", "too large"), ("NaN", "at byte"),
      ("+1", "at byte"), ("0x1", "at byte"), ("\"1\"", "integer"), ("true", "integer"),
    ]
    let members = Self.fields.filter { $0.type == "an integer" }.map {
      ("\"\($0.field)\":\($0.value)", "\"\($0.field)\":", "")
    }
    let size = parts.segments[0].count
    for (member, key, end) in members + [
      ("\"shape\":[3]", "\"shape\":[", "]"), ("\"segments\":[\(size)]", "\"segments\":[", "]"),
    ] {
      for (spelling, reason) in spellings {
        try expectRefusal(
          try parts.replacing(member, by: key + spelling + end).bytes, saying: reason,
          "\(member) → \(spelling)")
      }
    }
  }

  @Test func theDigestMustFitAndEndTheManifest() throws {
    let whole = ArchiveParts.sealed(parts.manifest)
    func refuses(_ text: String, _ reason: String) throws {
      let entries = [("manifest.json", Array(text.utf8)), parts.entries[1]]
      try expectRefusal(Tar.file(entries), saying: reason, "\(text.suffix(90))")
    }
    let missing = "the manifest is wrong at its end: it does not end in its SHA-256"
    let wrong = "it does not have the SHA-256 that it states"
    try refuses("", missing)
    try refuses("{}", missing)
    try refuses(parts.manifest + "}\n", missing)
    try refuses(String(whole.dropLast()), missing)
    try refuses(whole + "\n", missing)
    try refuses(String(whole.suffix(77)), missing)
    try refuses(String(whole.suffix(78)), wrong)
    try refuses(whole.replacingOccurrences(of: "\"bb\"", with: "\"bc\""), wrong)
    try refuses(whole.replacingOccurrences(of: "\"version\":1", with: "\"version\":2"), wrong)
    try refuses(whole.replacingOccurrences(of: ",\"sha256\"", with: ", \"sha256\""), missing)
    let upper = ",\"sha256\":\"\(whole.suffix(67).prefix(64).uppercased())\"}\n"
    try refuses(parts.manifest + upper, wrong)
    // The seal can't be but a member of the outermost object, and the only one of its name.
    try refuses(ArchiveParts.sealed(""), "at byte")
    try refuses(ArchiveParts.sealed(parts.manifest + ",\"sha256\":\"\""), "is repeated")
    try refuses(ArchiveParts.sealed(parts.manifest + ",\"x\":[{\"y\":1"), "at byte")
    try refuses(ArchiveParts.sealed(parts.manifest + ",\"x\":\"\\"), "at byte")
  }

  @Test func aManifestMayBeAsLargeAsTheLimit() throws {
    let limit = Limits().manifestBytes
    let space = limit - parts.manifest.utf8.count - ArchiveParts.sealBytes
    var padded = parts
    padded.manifest += String(repeating: " ", count: space)
    #expect(try readArchive(padded.bytes).tensors.count == 3)
    padded.manifest += " "
    try expectRefusal(padded.bytes, saying: "\(limit + 1) bytes of manifest, but \(limit)")
  }

  @Test func whatFilesSayIsQuotedWithoutControlCharacters() throws {
    let other = try parts.replacing("\"dtype\":\"u8\"", by: "\"dtype\":\"\\u001b[2J\\n\\u2028\"")
    try expectRefusal(other.bytes, saying: "‘\\u{1B}[2J\\n\\u{2028}’ is not known")
  }

  @Test func aKeyOfManyMarksIsRefusedAtOnce() throws {
    let marks = String(repeating: "\u{301}\u{323}", count: 1_000_000)
    let clock = ContinuousClock()
    let time = try clock.measure {
      try expectRefusal(
        try parts.replacing("\"a\":1", by: "\"a\(marks)\":1").bytes, saying: "combining marks")
    }
    #expect(time < .seconds(10))
  }

  @Test func theArchiveIsFineWithoutFaults() throws {
    let found = try readArchive(parts.bytes)
    #expect(found.tensors.map(\.name) == ["aa", "bb", "cc"])
  }

  @Test func invalidUnicodeIsRefused() throws {
    var manifest = Array(parts.manifest.utf8)
    let index = try #require(manifest.firstIndex(of: UInt8(ascii: "b")))
    manifest[index] = 0xFF
    let seal = ",\"sha256\":\"\(SHA256.hexDigest(of: manifest))\"}\n"
    try expectRefusal(
      Tar.file([("manifest.json", manifest + Array(seal.utf8)), parts.entries[1]]),
      saying: "UTF-8")
  }

  @Test func segmentsMustBeFilled() throws {
    let size = parts.segments[0].count
    try expectRefusal(
      try parts.replacing("\"segments\":[\(size)]", by: "\"segments\":[\(size),0]").bytes,
      saying: "do not fill 2 segments")
    try expectRefusal(
      try parts.replacing("\"segments\":[\(size)]", by: "\"segments\":[\(size + 1)]").bytes,
      saying: "do not fill 1 segments")
    try expectRefusal(
      try parts.replacing("\"segments\":[\(size)]", by: "\"segments\":[\(size - 1)]").bytes,
      saying: "ends behind its segment")
    try expectRefusal(
      try parts.replacing("\"segments\":[\(size)]", by: "\"segments\":[]").bytes,
      saying: "there is no segment 0")
  }

  @Test func orderOfKeysAndSpaceAreFree() throws {
    var other = try parts.replacing("\"format\":\"lcw\",\"version\":1,", by: "\"version\":1, ")
    other.manifest += ",\t\"format\":\"lcw\"\r\n "
    #expect(try readArchive(other.bytes) == readArchive(parts.bytes))
  }

  @Test func limitsAreKept() throws {
    func refuses(
      _ what: String, _ change: (inout Limits) -> Void,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      var limits = Limits()
      change(&limits)
      try expectRefusal(
        parts.bytes, saying: what, by: LCWArchive(limits: limits), sourceLocation: sourceLocation)
    }
    try refuses("bytes of manifest") { $0.manifestBytes = 100 }
    try refuses("3 tensors") { $0.tensors = 2 }
    try refuses("1 segments") { $0.segments = 0 }
    try refuses("bytes of tensors") { $0.rawBytes = 1000 }
    try refuses("1 members") { $0.metadataMembers = 0 }
    try refuses("take 7 bytes") { $0.metadataBytes = 6 }
    let many = Array(repeating: "{}", count: 1_000_000).joined(separator: ",")
    try expectRefusal(
      try parts.replacing("\"tensors\":[", by: "\"tensors\":[\(many),").bytes,
      saying: "1000003 tensors")
    #expect(Limits().scaled(by: 2).rawBytes == 2 * Limits().rawBytes)
  }
}
