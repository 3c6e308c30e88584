// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWFormat
import LCWNumerics
import Testing

/// What the writer puts into a file, and when it does not.
struct ArchiveWritingTests {
  /// Weights of several chunks, noise, and something that repeats.
  private func checkpoint() throws -> Checkpoint {
    var noise = Noise(3)
    let weights = noise.weights(700_000)
    return Checkpoint(tensors: [
      NamedTensor("weights", StoredTensor(try Tensor(weights, shape: [700, 1000]))),
      NamedTensor("zeros", StoredTensor(Tensor(zeros: [300_000]))),
      NamedTensor("noise", try tensor(.uint8, [600_000], noise.bytes(600_000))),
      NamedTensor(
        "steps",
        try tensor(.int64, [100_000], (0..<800_000).map { UInt8(truncatingIfNeeded: $0 / 8) })),
    ])
  }

  private func written(_ source: any CheckpointSource, by format: LCWArchive) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    let file = folder.file("a.lcw")
    try format.write(source, to: file)
    return try bytes(of: file)
  }

  @Test(arguments: [Effort.fast, .best])
  func sameBytesForAnyThreadsRunsAndOrder(effort: Effort) throws {
    let checkpoint = try checkpoint()
    let first = try written(checkpoint, by: LCWArchive(workers: .serial, effort: effort))
    for threads in [1, 2, 3, 7] {
      let format = LCWArchive(workers: Workers(threads), effort: effort)
      #expect(try written(checkpoint, by: format) == first, "\(threads) threads")
      #expect(try readArchive(first, by: format) == sorted(checkpoint), "\(threads) threads")
    }
    var reversed = checkpoint
    reversed.tensors.reverse()
    #expect(try written(reversed, by: LCWArchive(effort: effort)) == first)
  }

  @Test func weightsTakeLessThanTheyAre() throws {
    var noise = Noise(5)
    let weights = StoredTensor(try Tensor(noise.weights(500_000), shape: [500_000]))
    let archive = Checkpoint(tensors: [NamedTensor("w", weights)])
    let fast = try written(archive, by: LCWArchive()).count
    let best = try written(archive, by: LCWArchive(effort: .best)).count
    // Three of four bytes are noise; the exponents' byte takes some 2.5 bits.
    #expect(Double(fast) < 0.85 * Double(weights.bytes.count))
    #expect(best <= fast)
  }

  /// The spaces before the digest: by the specification's bound, two `stored` and two `offset`
  /// could have had two digits more each, and the last `stored` one.
  @Test func theWholeFile() throws {
    let parts = try ArchiveParts(of: try smallCheckpoint())
    #expect(
      parts.manifest == """
        {"format":"lcw","version":1,"minor":0,"kind":"checkpoint","chunk":524288,"metadata":\
        {"architecture":"mlp:hidden=4","classes":3,"note":"naïve ∂L/∂w",\
        "record":{"accuracy":0.5,"epochs":[1,2]}},"tensors":[\
        {"name":"bias","dtype":"f32","shape":[4],"transform":"none","segment":0,"offset":0,"stored":29},\
        {"name":"empty","dtype":"f32","shape":[0,3],"transform":"none","segment":0,"offset":29,"stored":0},\
        {"name":"ids","dtype":"i16","shape":[600],"transform":"planes","segment":0,"offset":29,"stored":1228},\
        {"name":"mask","dtype":"bool","shape":[3],"transform":"none","segment":0,"offset":1257,"stored":16},\
        {"name":"weight","dtype":"f32","shape":[100,3],"transform":"rotl1","segment":0,"offset":1273,\
        "stored":\(parts.segments[0].count - 1273)}],\
        "segments":[\(parts.segments[0].count)]\(String(repeating: " ", count: 9))
        """)
    #expect(parts.segments.count == 1)
    // The scalar facts of a frame: magic number, descriptor, content size.
    #expect(parts.segments[0][..<6].elementsEqual([0x28, 0xB5, 0x2F, 0xFD, 0x24, 16]))
    // And of the tar: nothing but the entries and 1024 zero bytes.
    let archive = try written(try smallCheckpoint(), by: LCWArchive())
    let sizes = parts.entries.map { 512 + ($0.data.count + 511) / 512 * 512 }
    #expect(archive.count == sizes.reduce(1024, +))
    #expect(archive[136..<147].elementsEqual("00000000000".utf8))
    #expect(archive[265..<329].allSatisfy { $0 == 0 })
  }

  @Test func segmentsCloseAtOneMebibyte() throws {
    let half = try tensor(.uint8, [1 << 19], [UInt8](repeating: 1, count: 1 << 19))
    let parts = try ArchiveParts(
      of: Checkpoint(tensors: ["a", "b", "c", "d", "e"].map { NamedTensor($0, half) }))
    #expect(parts.segments.count == 3)
    #expect(parts.manifest.components(separatedBy: "\"segment\":1,").count == 3)
  }

  @Test func digestsAreThoseOfTheStandard() throws {
    let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    let vectors: [(name: String, bytes: [UInt8], digest: String)] = [
      ("a", [], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("b", Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "c", Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      ("d", million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ]
    let checkpoint = Checkpoint(
      tensors: try vectors.map {
        NamedTensor($0.name, try tensor(.uint8, [$0.bytes.count], $0.bytes))
      })
    let parts = try ArchiveParts(of: checkpoint, by: LCWArchive(digests: true))
    for vector in vectors {
      #expect(parts.manifest.contains("\"sha256\":\"\(vector.digest)\""), "\(vector.name)")
    }
    #expect(try readArchive(parts.bytes) == checkpoint)
    let wrong = try parts.replacing(vectors[1].digest, by: vectors[2].digest)
    try expectRefusal(wrong.bytes, saying: "‘b’ does not have the SHA-256")
  }

  @Test func aFailedWriteLeavesTheOldFile() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("a.lcw", [1, 2, 3])
    let source = FailingSource(base: try smallCheckpoint(), failingName: "weight")
    #expect(throws: FailingSource.Failure.self) { try LCWArchive().write(source, to: file) }
    #expect(try bytes(of: file) == [1, 2, 3])
    #expect(try folder.names == ["a.lcw"])
    try LCWArchive().write(source.base, to: file)
    #expect(try Checkpoint(reading: try LCWArchive().open(file)) == source.base)
    #expect(try folder.names == ["a.lcw"])
    let missing = folder.file("nowhere").appendingPathComponent("a.lcw")
    #expect(throws: FileError.self) { try LCWArchive().write(source.base, to: missing) }
  }

  /// Four segments of one tensor each.
  private func fourSegments() throws -> Checkpoint {
    var noise = Noise(13)
    return Checkpoint(
      tensors: try ["a", "b", "c", "d"].map {
        NamedTensor($0, try tensor(.uint8, [1 << 20], noise.bytes(1 << 20)))
      })
  }

  @Test(arguments: [1, 2, 5])
  func aSourceThatFailsMidwayLeavesNoTrace(threads: Int) throws {
    let format = LCWArchive(workers: Workers(threads))
    for name in ["a", "b", "c", "d"] {
      let source = FailingSource(base: try fourSegments(), failingName: name)
      let folder = try TemporaryFolder()
      let file = folder.file("a.lcw")
      #expect(throws: FailingSource.Failure.self) { try format.write(source, to: file) }
      #expect(try folder.names.isEmpty, "\(name)")
      _ = try folder.file("a.lcw", [1, 2, 3])
      #expect(throws: FailingSource.Failure.self) { try format.write(source, to: file) }
      #expect(try bytes(of: file) == [1, 2, 3], "\(name)")
      #expect(try folder.names == ["a.lcw"], "\(name)")
    }
  }

  /// Segments are written before the next ones are read, so that few tensors are in memory.
  @Test(arguments: [1, 3])
  func segmentsAreWrittenAsTheyAreMade(threads: Int) throws {
    let folder = try TemporaryFolder()
    let source = WatchingSource(base: try fourSegments(), folder: folder)
    try LCWArchive(workers: Workers(threads)).write(source, to: folder.file("a.lcw"))
    // At each tensor, all but the two segments before it are in the file, but for the last bytes,
    // which libarchive may hold back.
    let held = 1 << 17
    let sizes = source.sizes.all
    #expect(sizes.count == 4)
    for (index, size) in sizes.enumerated() {
      #expect(size >= (index - 1) << 20 - held, "\(size) bytes at the tensor \(index)")
    }
  }

  /// The place of the manifest is kept before it is known what encoding leads to.
  @Test(arguments: ElementType.allCases)
  func theManifestsPlaceDependsOnTypesAndShapesAlone(type: ElementType) throws {
    var noise = Noise(17)
    for count in [0, 1, 5, 100, 1023, 1024, 131_072, 131_073, 300_000] {
      let size = count * type.width
      // Noise makes escapes of nearly all exponents: the largest that is ever stored.
      let contents = [[UInt8](repeating: 0, count: size), noise.bytes(size)]
      for effort in [Effort.fast, .best] where effort == .fast || count < 200_000 {
        let places = try contents.map { content in
          let checkpoint = Checkpoint(
            tensors: [NamedTensor("a", try tensor(type, [count], content))])
          let format = LCWArchive(effort: effort, digests: count == 5)
          let parts = try ArchiveParts(of: checkpoint, by: format)
          #expect(try readArchive(parts.bytes) == checkpoint)
          return parts.entries[0].data.count
        }
        #expect(places[0] == places[1], "\(count) elements, \(effort)")
      }
    }
  }

  @Test func refusesWhatTheReaderWould() throws {
    let value = try tensor(.uint8, [1], [1])
    func refuses(
      _ checkpoint: Checkpoint, _ reason: String, limits: Limits = Limits(),
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let folder = try TemporaryFolder()
      let file = folder.file("a.lcw")
      let error = #expect(throws: CheckpointError.self, sourceLocation: sourceLocation) {
        try LCWArchive(limits: limits).write(checkpoint, to: file)
      }
      let description = error.map { "\($0)" } ?? ""
      #expect(description.contains(reason), "\(description)", sourceLocation: sourceLocation)
      #expect(try folder.names.isEmpty, sourceLocation: sourceLocation)
    }
    func named(_ names: String...) -> Checkpoint {
      Checkpoint(tensors: names.map { NamedTensor($0, value) })
    }
    try refuses(named("a", "b", "a"), "two tensors ‘a’")
    try refuses(named(""), "the name is empty")
    try refuses(named(String(repeating: "x", count: 513)), "513 bytes")
    try refuses(named("a\u{7F}"), "control character")
    let marks = String(repeating: "\u{301}", count: 31)
    try refuses(named("a\(marks)"), "combining marks")
    try refuses(Checkpoint(metadata: ["a\(marks)": 1]), "combining marks")
    try refuses(Checkpoint(metadata: ["a": .array([.string(marks)])]), "combining marks")
    try refuses(Checkpoint(kind: CheckpointKind(rawValue: "Über")), "no kind")
    try refuses(Checkpoint(metadata: ["x": .number(.nan)]), "no number nan")
    try refuses(Checkpoint(metadata: ["x": .integer(1 << 53)]), "beyond")
    let deep = JSONValue.array([.array([.array([])])])
    try refuses(Checkpoint(metadata: ["x": deep]), "too deep")
    let rank9 = Checkpoint(tensors: [
      NamedTensor("a", try tensor(.uint8, [1, 1, 1, 1, 1, 1, 1, 1, 1], [1]))
    ])
    try refuses(rank9, "‘a’ has 9 dimensions, more than 8")
    let long = Checkpoint(tensors: [NamedTensor("a", try tensor(.uint8, [0, .max], []))])
    try refuses(long, "‘a’ has a dimension of 9223372036854775807, more than 2⁵³ − 1")
    var limits = Limits()
    limits.tensors = 1
    try refuses(named("a", "b"), "2 tensors", limits: limits)
    limits = Limits()
    limits.rawBytes = 1
    try refuses(named("a", "b"), "more than 1 bytes", limits: limits)
    limits = Limits()
    limits.metadataMembers = 1
    try refuses(Checkpoint(metadata: ["x": 1, "y": 2]), "2 members", limits: limits)
    limits = Limits()
    limits.metadataBytes = 10
    try refuses(Checkpoint(metadata: ["x": "123456"]), "14 bytes", limits: limits)
    limits = Limits()
    limits.manifestBytes = 200
    try refuses(named("a", "b", "c"), "manifest", limits: limits)
  }
}
