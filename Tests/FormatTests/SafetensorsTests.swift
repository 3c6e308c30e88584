// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFormat
import LCWNumerics
import SafetensorsFormat
import Testing

/// Files of the safetensors library.
struct SafetensorsTests {
  private struct Expected: Decodable {
    var dtype: String
    var shape: [Int]
    var values: [Double]
  }

  private static let typeNames: [ElementType: String] = [
    .float64: "float64", .float32: "float32", .float16: "float16", .bfloat16: "bfloat16",
    .int64: "int64", .int32: "int32", .int16: "int16", .int8: "int8", .uint8: "uint8",
    .bool: "bool",
  ]

  @Test(arguments: ["mlp_5_4_3.safetensors", "dtypes.safetensors"])
  func filesOfTheLibraryAreRead(_ name: String) throws {
    let all = try JSONDecoder().decode(
      [String: [String: Expected]].self, from: try Data(contentsOf: fixture("expected.json")))
    let expected = try #require(all[name])
    let source = try Safetensors().open(fixture(name))
    #expect(Set(source.entries.map(\.name)) == Set(expected.keys))
    for (name, values) in expected {
      let tensor = try source.tensor(named: name)
      #expect(Self.typeNames[tensor.elementType] == values.dtype, "\(name)")
      #expect(tensor.shape.dimensions == values.shape, "\(name)")
      #expect(tensor.floats.elements == values.values.map(Float.init), "\(name)")
    }
    let start = try bytes(of: fixture(name))
    #expect(Safetensors.recognises(start))
    #expect(!LCWArchive.recognises(start))
  }

  @Test func wideNumbersAreExact() throws {
    let source = try Safetensors().open(fixture("dtypes.safetensors"))
    let integers = try source.tensor(named: "i64").bytes
    let expected = [-(1 << 62), 7].flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
    #expect(integers == expected)
    let doubles = try source.tensor(named: "f64").bytes
    #expect(
      doubles
        == [1.0 / 3, -1e300].flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
    )
    #expect(source.metadata == ["format": "pt", "title": "dtype fixture"])
    #expect(source.kind == .checkpoint)
  }

  @Test func entriesStandInTheFilesOrder() throws {
    let source = try Safetensors().open(fixture("dtypes.safetensors"))
    #expect(
      source.entries.map(\.name) == [
        "i64", "f64", "empty", "f32", "scalar", "i32", "bf16", "f16", "i8", "u8", "bool",
      ])
    #expect(throws: CheckpointError.missingTensor("scalr", nearest: "scalar")) {
      try source.tensor(named: "scalr")
    }
  }

  @Test func whatIsWrittenIsRead() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("a.safetensors")
    try Safetensors().write(try smallCheckpoint(), to: file)
    let found = try Checkpoint(reading: try Safetensors().open(file))
    #expect(Set(found.tensors) == Set(try smallCheckpoint().tensors))
    #expect(found.metadata == (try smallCheckpoint().metadata))
    // The data start at a multiple of eight bytes, and wide elements come first.
    let start = try bytes(of: file)
    #expect(start[0] % 8 == 0)
    #expect(found.tensors.map(\.name) == ["bias", "empty", "weight", "ids", "mask"])
  }

  @Test func whatCannotBeWrittenIsRefused() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("a.safetensors", [1])
    let value = try tensor(.uint8, [1], [1])
    func refuses(_ checkpoint: Checkpoint, _ reason: String) throws {
      let error = #expect(throws: CheckpointError.self) {
        try Safetensors().write(checkpoint, to: file)
      }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
    try refuses(Checkpoint(kind: .path), "of kind ‘path’")
    try refuses(Checkpoint(tensors: [NamedTensor("__metadata__", value)]), "__metadata__")
    try refuses(
      Checkpoint(tensors: [NamedTensor("a", value), NamedTensor("a", value)]), "two tensors")
    let marks = String(repeating: "\u{301}", count: 31)
    try refuses(Checkpoint(tensors: [NamedTensor(marks, value)]), "combining marks")
    try refuses(Checkpoint(metadata: ["a": .string(marks)]), "combining marks")
    try refuses(Checkpoint(metadata: [marks: "a"]), "combining marks")
    let source = FailingSource(base: try smallCheckpoint(), failingName: "mask")
    #expect(throws: FailingSource.Failure.self) { try Safetensors().write(source, to: file) }
    #expect(try bytes(of: file) == [1])
    #expect(try folder.names == ["a.safetensors"])
  }

  /// A header, the bytes behind it, and what the error must say.
  struct Fault: Sendable, CustomTestStringConvertible {
    var header: String
    var data: Int
    var reason: String
    var testDescription: String { header }

    init(_ header: String, _ data: Int, _ reason: String) {
      self.header = header
      self.data = data
      self.reason = reason
    }
  }

  private static func entry(
    _ name: String, _ offsets: String, dtype: String = "U8", shape: String = "[2]"
  ) -> String {
    "\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  static let faults: [Fault] = [
    Fault("{\(entry("a", "[1,3]"))}", 3, "1 bytes before it belong to no tensor"),
    Fault("{\(entry("a", "[0,2]")),\(entry("b", "[3,5]"))}", 5, "belong to no tensor"),
    Fault("{\(entry("a", "[0,2]")),\(entry("b", "[1,3]"))}", 3, "overlap"),
    Fault("{\(entry("a", "[0,2]")),\(entry("b", "[0,2]"))}", 2, "overlap"),
    Fault("{\(entry("a", "[0,2]"))}", 3, "but 3 follow"),
    Fault("{\(entry("a", "[0,2]"))}", 1, "but 1 follow"),
    Fault("{\(entry("a", "[0,2]")),\(entry("a", "[2,4]"))}", 4, "is repeated"),
    Fault("{\(entry("a", "[0,2]")),\(entry("\\u0061", "[2,4]"))}", 4, "is repeated"),
    Fault("{\(entry("a", "[0,3]"))}", 3, "it has 3 bytes, but [2] of U8 needs 2"),
    Fault("{\(entry("a", "[2,0]"))}", 2, "ascending"),
    Fault("{\(entry("a", "[0]"))}", 2, "ascending"),
    Fault("{\(entry("a", "[-2,0]"))}", 2, "ascending"),
    Fault("{\(entry("a", "[0,2.0]"))}", 2, "ascending"),
    Fault("{\(entry("a", "[0,2]", shape: "[-2]"))}", 2, "list of sizes"),
    Fault("{\(entry("a", "[0,2]", shape: "[4294967296,4294967296]"))}", 2, "too large"),
    Fault("{\(entry("a", "[0,2]", dtype: "F64", shape: "[2305843009213693952]"))}", 2, "far more"),
    Fault("{\(entry("a", "[0,2]", dtype: "F8_E8M0"))}", 2, "‘F8_E8M0’, which can't be read"),
    Fault("{\(entry("a", "[0,2]", dtype: "U16"))}", 2, "[2] of U16 needs 4"),
    Fault("{\(entry("a", "[0,2]", dtype: ""))}", 2, "no type's name"),
    Fault("{\(entry("a", "[0,2]", dtype: "f32"))}", 2, "‘f32’, which can't be read"),
    Fault("{\"a\":{\"dtype\":\"U8\",\"shape\":[2]}}", 2, "ascending"),
    Fault("{\"a\":{\"shape\":[2],\"data_offsets\":[0,2]}}", 2, "dtype is not a text"),
    Fault("{\"a\":[]}", 0, "not an object"),
    Fault("{\"a\":null}", 0, "not an object"),
    Fault("{\(entry("a", "[0,2]", shape: "[null]"))}", 2, "list of sizes"),
    Fault("{\(entry("a", "[0,2]", shape: "null"))}", 2, "list of sizes"),
    Fault("{\"__metadata__\":null,\"__metadata__\":{}}", 0, "is repeated"),
    Fault("{\"__metadata__\":{\"a\":null}}", 0, "not a text"),
    Fault("{\"__metadata__\":[]}", 0, "__metadata__ is not an object"),
    Fault("{\"__metadata__\":{\"a\":1}}", 0, "not a text"),
    Fault("{} x", 0, "extra text after the value"),
    Fault("[]", 0, "not start with a brace"),
    Fault("x{}", 0, "not start with a brace"),
    Fault("{", 0, "at byte"),
    Fault("", 0, "not start with a brace"),
  ]

  @Test(arguments: faults)
  func isRefused(_ fault: Fault) throws {
    let folder = try TemporaryFolder()
    let length = withUnsafeBytes(of: UInt64(fault.header.utf8.count).littleEndian, Array.init)
    let file = try folder.file(
      "a", length + Array(fault.header.utf8) + [UInt8](repeating: 1, count: fault.data))
    let error = #expect(throws: SafetensorsError.self) {
      try Checkpoint(reading: try Safetensors().open(file))
    }
    #expect(error?.description.contains(fault.reason) == true, "\(error?.description ?? "")")
  }

  @Test func typesThatCannotBeReadAreListed() throws {
    let folder = try TemporaryFolder()
    let header =
      "{\(Self.entry("a", "[0,2]")),\(Self.entry("b", "[2,4]", dtype: "F8_E8M0")),"
      + "\(Self.entry("c", "[4,5]", dtype: "F4")),\(Self.entry("d", "[5,12]", dtype: "NEW"))}"
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
    let file = try folder.file(
      "a", length + Array(header.utf8) + [UInt8](repeating: 1, count: 12))
    let source = try Safetensors().open(file)
    #expect(source.entries.map(\.name) == ["a"])
    #expect(source.unreadable.map(\.type) == ["F8_E8M0", "F4", "NEW"])
    #expect(try source.tensor(named: "a").bytes == [1, 1])
    let error = #expect(throws: SafetensorsError.self) { try source.tensor(named: "b") }
    #expect(error?.description.contains("‘b’") == true)
    #expect(throws: SafetensorsError.self) {
      try Safetensors().write(source, to: folder.file("b.safetensors"))
    }
  }

  @Test func whatIsWrittenSaysWhoseTensorsItHas() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("a.safetensors")
    for (metadata, format) in [
      ([:], "pt"), (["note": "text"], "pt"), (["format": "np"], "np"), (["format": "pt"], "pt"),
      (["format": 3], "3"), (["lcw.format": "x"], nil),
    ] as [([String: JSONValue], String?)] {
      let checkpoint = Checkpoint(metadata: metadata, tensors: try smallCheckpoint().tensors)
      try Safetensors().write(checkpoint, to: file)
      let start = try bytes(of: file)
      let length = Int(start[0]) | Int(start[1]) << 8
      let header = try JSONValue(parsing: Array(start[8..<8 + length]))
      let texts = header.object?["__metadata__"]?.object
      #expect(texts?["format"]?.string == format)
      // And reading leaves out what was added.
      #expect(try Safetensors().open(file).metadata == metadata)
    }
  }

  @Test func structuredMetadataComeBack() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("a.safetensors")
    var checkpoint = sorted(try smallCheckpoint())
    checkpoint.metadata["whole"] = .number(1)
    checkpoint.metadata["digits"] = "5"
    try Safetensors().write(checkpoint, to: file)
    let source = try Safetensors().open(file)
    #expect(source.metadata == checkpoint.metadata)
    let (first, second) = (folder.file("1.lcw"), folder.file("2.lcw"))
    try LCWArchive().write(checkpoint, to: first)
    try LCWArchive().write(source, to: second)
    #expect(try bytes(of: first) == bytes(of: second))
    // A list that is not as it is written stays the text it is.
    for list in ["[\"digits\",\"none\"]", "[\"text\"]", "x", "[5]", "[\"lcw.json\"]"] {
      let texts = ["lcw.json": JSONValue.string(list), "digits": "5", "text": "\"a\""]
      let json = JSONValue.object(["__metadata__": .object(texts)]).compactText
      let length = withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian, Array.init)
      let odd = try folder.file("odd", length + Array(json.utf8))
      let source = try Safetensors().open(odd)
      #expect(source.metadata == texts)
      try Safetensors().write(source, to: file)
      #expect(try Safetensors().open(file).metadata == texts)
    }
    #expect(throws: CheckpointError.self) {
      try Safetensors().write(
        Checkpoint(metadata: ["lcw.json": "[\"a\"]", "a": "5"]), to: file)
    }
  }

  @Test func lengthsThatCannotBe() throws {
    let folder = try TemporaryFolder()
    func refuses(_ bytes: [UInt8], _ reason: String) throws {
      let file = try folder.file("a", bytes)
      let error = #expect(throws: SafetensorsError.self) { try Safetensors().open(file) }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
    try refuses([], "only 0 bytes")
    try refuses([2, 0, 0, 0], "only 4 bytes")
    try refuses([3, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], "only 2 follow")
    try refuses([UInt8](repeating: 0xFF, count: 8) + [0x7B, 0x7D], "18446744073709551615 bytes")
    #expect(!Safetensors.recognises([UInt8](repeating: 0xFF, count: 8) + [0x7B]))
    #expect(!Safetensors.recognises([2, 0, 0, 0, 0, 0, 0, 0, 0x5B]))
    #expect(!Safetensors.recognises([2, 0, 0, 0, 0, 0, 0, 0]))
    #expect(Safetensors.recognises([2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D]))
  }

  @Test func everyTruncationIsRefused() throws {
    let whole = try bytes(of: fixture("dtypes.safetensors"))
    let folder = try TemporaryFolder()
    let file = try folder.file("a", whole)
    let handle = try FileHandle(forUpdating: file)
    for length in whole.indices.reversed() {
      try handle.truncate(atOffset: UInt64(length))
      #expect(throws: SafetensorsError.self, "\(length) bytes") { try Safetensors().open(file) }
    }
    try handle.close()
  }

  private static let trained = ["mnist2000_seed3.safetensors", "mnist2000_seed4.safetensors"]
    .map { sharedFolder.appendingPathComponent("checkpoints").appendingPathComponent($0) }

  @Test(
    .enabled(
      if: trained.allSatisfy { FileManager.default.fileExists(atPath: $0.path) },
      "there is no folder shared/checkpoints beside the package"), arguments: trained)
  func trainedNetworksConvert(_ file: URL) throws {
    let source = try Safetensors().open(file)
    #expect(
      Set(source.entries.map(\.name))
        == ["fc.0.weight", "fc.0.bias", "fc.2.weight", "fc.2.bias"])
    #expect(try source.tensor(named: "fc.0.weight").shape == [2000, 784])
    #expect(try source.tensor(named: "fc.0.weight").floats.isFinite)
    let folder = try TemporaryFolder()
    let archive = folder.file("a.lcw")
    try LCWArchive().write(source, to: archive)
    let found = try Checkpoint(reading: try LCWArchive().open(archive))
    #expect(found == sorted(try Checkpoint(reading: source)))
    let stored = try bytes(of: archive).count
    #expect(Double(stored) < 0.83 * Double(try bytes(of: file).count))
  }
}
