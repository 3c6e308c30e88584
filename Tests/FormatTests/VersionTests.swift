// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWFormat
import LCWNumerics
import Testing

/// What a reader of version 1.1 does with archives of other versions.
struct VersionTests {
  private let checkpoint: Checkpoint
  private let parts: ArchiveParts

  init() throws {
    checkpoint = Checkpoint(tensors: [NamedTensor("x", try tensor(.uint8, [3], [7, 8, 9]))])
    parts = try ArchiveParts(of: checkpoint)
  }

  @Test func aNewerMinorVersionIsReadWithoutWhatIsNew() throws {
    for minor in [2, 3, 9_007_199_254_740_991] {
      let newer = try parts.replacing("\"minor\":0", by: "\"minor\":\(minor),\"new\":[1,{\"a\":2}]")
        .replacing("\"name\":\"x\"", by: "\"hint\":{\"deep\":true},\"name\":\"x\"")
      #expect(try readArchive(newer.bytes) == checkpoint, "minor version \(minor)")
    }
  }

  @Test func fieldsOfALaterMinorVersionAreRefusedInThisOne() throws {
    try expectRefusal(
      try parts.replacing("\"minor\":0", by: "\"minor\":0,\"new\":1").bytes,
      saying: "new: the field is not known")
    try expectRefusal(
      try parts.replacing("\"name\":\"x\"", by: "\"hint\":1,\"name\":\"x\"").bytes,
      saying: "hint: the field is not known")
  }

  @Test func onlyAnArchiveWithNewTypesStatesANewerMinorVersion() throws {
    #expect(parts.manifest.contains("\"minor\":0,"))
    for type in ElementType.allCases {
      let one = Checkpoint(
        tensors: [
          NamedTensor("x", try tensor(type, [1], [UInt8](repeating: 0, count: type.width)))
        ] + checkpoint.tensors.map { NamedTensor("y", $0.tensor) })
      let isNew = !GoldenArchives.firstTypes.contains(type)
      let archive = try ArchiveParts(of: one)
      #expect(archive.manifest.contains("\"minor\":\(isNew ? 1 : 0),"), "\(type)")
      #expect(try readArchive(archive.bytes) == one)
      guard isNew else { continue }
      try expectRefusal(
        try archive.replacing("\"minor\":1", by: "\"minor\":0").bytes,
        saying: "‘x’: dtype: ‘\(type.rawValue)’ is not one of version 1.0")
    }
  }

  @Test func aNewerMinorVersionIsCheckedInAllThatIsKnown() throws {
    let newer = try parts.replacing("\"minor\":0", by: "\"minor\":2")
    for (text, replacement, reason) in [
      ("\"transform\":\"none\"", "\"transform\":\"other\"", "‘other’ is not known"),
      ("\"dtype\":\"u8\"", "\"dtype\":\"u4\"", "‘u4’ is not known, so it takes a newer lcw"),
      ("\"offset\":0", "\"offset\":1", "its offset is 1"),
      ("\"chunk\":524288", "\"chunk\":3", "power of two"),
      ("\"chunk\":524288,", "", "chunk: the field is missing"),
      ("\"minor\":2", "\"minor\":2,\"new\":null", "null"),
      ("\"minor\":2", "\"minor\":2,\"new\":[[[[1]]]]", "nested deeper"),
    ] {
      try expectRefusal(try newer.replacing(text, by: replacement).bytes, saying: reason)
    }
    try expectRefusal(
      try newer.replacing("\"x\"", by: "\"y\\u0000\"").bytes, saying: "control character")
  }

  @Test func anotherVersionIsRefusedBeforeAllElse() throws {
    for version in [0, 2, 9_007_199_254_740_991] {
      for rest in ["", ",\"new\":[]", ",\"new\":[[[1]]]"] {
        let other = try parts.replacing("\"version\":1", by: "\"version\":\(version)\(rest)")
          .replacing(",\"chunk\":524288", by: "").replacing("\"minor\":0", by: "\"minor\":\"b\"")
        let error = #expect(throws: ArchiveError.self) { try readArchive(other.bytes) }
        guard case .unknownVersion(_, version) = error else {
          Issue.record("\(error.map { "\($0)" } ?? "")")
          continue
        }
        #expect(error?.description.contains("follows version \(version) of the .lcw") == true)
      }
    }
    try expectRefusal(
      try parts.replacing("\"format\":\"lcw\"", by: "\"format\":\"other\"").bytes,
      saying: "is not an .lcw archive: its manifest is of another format")
  }
}
