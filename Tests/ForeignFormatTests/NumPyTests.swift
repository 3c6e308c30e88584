// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics
import NumPyFormat
import SafetensorsFormat
import Testing

/// The files of NumPy.
struct NumPyTests {
  static let fixtures = [
    "mlp_5_4_3.npz", "mlp_5_4_3_deflate.npz", "fortran_and_bigendian.npz", "array.npy",
  ]

  @Test(arguments: fixtures)
  func filesOfNumPyAreRead(_ name: String) throws {
    let expected = try expectedTensors(of: name)
    let source = try NumPy().open(fixture(name))
    #expect(Set(source.entries.map(\.name)) == Set(expected.keys))
    for (name, values) in expected { expect(try source.tensor(named: name), is: values, name) }
    #expect(source.metadata.isEmpty)
    #expect(source.kind == .checkpoint)
    let start = try bytes(of: fixture(name))
    #expect(NumPy.recognises(start))
    #expect(!Safetensors.recognises(start))
    #expect(throws: CheckpointError.self) { try source.tensor(named: "no such array") }
  }

  @Test func arraysCanBeReadInAnyOrder() throws {
    for name in ["mlp_5_4_3.npz", "mlp_5_4_3_deflate.npz"] {
      let source = try NumPy().open(fixture(name))
      #expect(
        source.entries.map(\.name) == ["fc.0.weight", "fc.0.bias", "fc.2.weight", "fc.2.bias"])
      let whole = try Checkpoint(reading: source)
      for entry in source.entries.reversed() {
        #expect(try source.tensor(named: entry.name) == whole.tensor(named: entry.name))
        #expect(try source.tensor(named: entry.name) == whole.tensor(named: entry.name))
      }
    }
    let deflated = try NumPy().open(fixture("mlp_5_4_3_deflate.npz")).entries
    #expect(deflated.map(\.storedBytes) == [155, 85, 120, 81])
    #expect(try NumPy().open(fixture("mlp_5_4_3.npz")).entries[0].storedBytes == 208)
  }

  /// The types that NumPy does not have.
  private static let unknown: Set<ElementType> = [.bfloat16, .float8E4M3, .float8E5M2]

  private static let types = ElementType.allCases.filter { !Self.unknown.contains($0) }

  @Test(arguments: [false, true])
  func whatIsWrittenIsRead(compress: Bool) throws {
    let folder = try TemporaryFolder()
    let checkpoint = try everyType(Self.types)
    let (first, second) = (folder.file("a.npz"), folder.file("b.npz"))
    try NumPy(compress: compress).write(checkpoint, to: first)
    try NumPy(compress: compress).write(checkpoint, to: second)
    #expect(try Checkpoint(reading: try NumPy().open(first)) == checkpoint)
    let content = try bytes(of: first)
    #expect(try bytes(of: second) == content)
    #expect(NumPy.recognises(Array(content.prefix(4096))))
    #expect(try folder.names == ["a.npz", "b.npz"])
    // All that varies in a zip are times: each entry says the first of January 1980.
    let entries = content.indices.dropLast(4).filter {
      Array(content[$0..<$0 + 4]) == ZipFile.mark
    }
    #expect(entries.count == checkpoint.tensors.count)
    for entry in entries {
      #expect(Array(content[entry + 8..<entry + 14]) == [compress ? 8 : 0, 0, 0, 0, 0x21, 0])
    }
  }

  @Test func compressionIsAnOption() throws {
    let values = try tensor(.float32, [5000], [UInt8](repeating: 7, count: 20000))
    let checkpoint = Checkpoint(tensors: [NamedTensor("a", values)])
    let folder = try TemporaryFolder()
    let reference = try PluginReference("numpy:compress=true")
    let format = try NumPy(options: OptionValues(reference, declaredBy: NumPy.self))
    try format.write(checkpoint, to: folder.file("small.npz"))
    try NumPy().write(checkpoint, to: folder.file("large.npz"))
    #expect(try bytes(of: folder.file("small.npz")).count < 1000)
    #expect(try bytes(of: folder.file("large.npz")).count > 20000)
    let entry = try NumPy().open(folder.file("small.npz")).entries[0]
    #expect(entry.storedBytes < 1000 && entry.rawBytes == 20000)
  }

  @Test func oneArrayIsWrittenBare() throws {
    let folder = try TemporaryFolder()
    let values = try tensor(.int16, [2, 3], [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1])
    let file = folder.file("a.npy")
    try NumPy().write(Checkpoint(tensors: [NamedTensor("weights", values)]), to: file)
    let found = try Checkpoint(reading: try NumPy().open(file))
    #expect(found.tensors == [NamedTensor("array", values)])
    #expect(try bytes(of: file).count == 128 + 12)
    let two = Checkpoint(tensors: [NamedTensor("a", values), NamedTensor("b", values)])
    let error = #expect(throws: CheckpointError.self) { try NumPy().write(two, to: file) }
    #expect(error?.description.contains("write an .npz file") == true)
    #expect(try bytes(of: file).count == 128 + 12)
  }

  @Test func aCheckpointWithoutTensors() throws {
    let folder = try TemporaryFolder()
    try NumPy().write(Checkpoint(), to: folder.file("a.npz"))
    #expect(try Checkpoint(reading: try NumPy().open(folder.file("a.npz"))) == Checkpoint())
    #expect(NumPy.recognises(try bytes(of: folder.file("a.npz"))))
  }

  @Test func whatCannotBeWrittenIsRefused() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("a.npz", [1])
    let value = try tensor(.uint8, [1], [1])
    func refuses(_ checkpoint: Checkpoint, _ reason: String) throws {
      let error = #expect(throws: CheckpointError.self) { try NumPy().write(checkpoint, to: file) }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
    func named(_ names: String...) -> Checkpoint {
      Checkpoint(tensors: names.map { NamedTensor($0, value) })
    }
    try refuses(Checkpoint(kind: .path), "of kind ‘path’")
    try refuses(named("a", "a"), "two tensors ‘a’")
    try refuses(named("/etc/x"), "absolute")
    try refuses(named("a/../b"), "leads out")
    try refuses(named("a\u{0}b"), "zero byte")
    try refuses(named(String(repeating: "a", count: 65536)), "longer")
    let deep = try tensor(.uint8, Shape([Int](repeating: 1, count: 65)), [1])
    try refuses(Checkpoint(tensors: [NamedTensor("a", deep)]), "65 dimensions")
    let half = try tensor(.bfloat16, [1], [1, 2])
    try refuses(Checkpoint(tensors: [NamedTensor("w", half)]), "convert it with --dtype f32")
    #expect(try bytes(of: file) == [1])
    #expect(try folder.names == ["a.npz"])
  }

  // MARK: - Headers

  /// An array's file with a header of that text.
  static func array(
    _ text: String, version: UInt8 = 1, data: Int, padding: Bool = true
  ) -> [UInt8] {
    let text = Array(text.utf8) + (padding ? [0x20, 0x0A] : [])
    let length = version == 1 ? little(UInt16(text.count)) : little(UInt32(text.count))
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text
      + (0..<data).map { UInt8(truncatingIfNeeded: $0) }
  }

  static func header(
    _ type: String = "'<i2'", _ order: String = "False", _ shape: String = "(2,)"
  ) -> String {
    "{'descr': \(type), 'fortran_order': \(order), 'shape': \(shape), }"
  }

  @Test func headersAsNumPyWritesThem() throws {
    let folder = try TemporaryFolder()
    func reads(_ content: [UInt8], _ type: ElementType, _ shape: Shape, _ bytes: [UInt8]) throws {
      let file = try folder.file("a", content)
      #expect(NumPy.recognises(content))
      let found = try NumPy().open(file).tensor(named: "array")
      #expect(found == (try tensor(type, shape, bytes)))
    }
    for version: UInt8 in [1, 2, 3] {
      try reads(
        Self.array(Self.header(), version: version, data: 4), .int16, [2], [0, 1, 2, 3])
    }
    try reads(Self.array(Self.header("'>i2'"), data: 4), .int16, [2], [1, 0, 3, 2])
    try reads(
      Self.array(Self.header("'>f8'", "False", "()"), data: 8), .float64, [],
      [
        7, 6, 5, 4, 3, 2, 1, 0,
      ])
    try reads(Self.array(Self.header("'|b1'", "True", "(1, 2)"), data: 2), .bool, [1, 2], [0, 1])
    try reads(
      Self.array(Self.header("'|u1'", "True", "(2, 3, 2)"), data: 12), .uint8, [2, 3, 2],
      [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11])
    try reads(
      Self.array(Self.header("'>i2'", "True", "(2, 2)"), data: 8), .int16, [2, 2],
      [1, 0, 5, 4, 3, 2, 7, 6])
    try reads(Self.array(Self.header("'<f4'", "True", "(0, 4)"), data: 0), .float32, [0, 4], [])
    try reads(
      Self.array("{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"|i1\"}", data: 2), .int8,
      [2], [0, 1])
  }

  /// A file and what the error must say.
  struct Fault: Sendable, CustomTestStringConvertible {
    var content: [UInt8]
    var reason: String
    var testDescription: String { reason }

    init(_ content: [UInt8], _ reason: String) {
      self.content = content
      self.reason = reason
    }

    init(_ text: String, _ reason: String, data: Int = 4) {
      self.init(array(text, data: data), reason)
    }
  }

  static let faults: [Fault] = [
    Fault(header(), "take 4 bytes, but 5 follow", data: 5),
    Fault(header(), "take 4 bytes, but 3 follow", data: 3),
    Fault(array(header(), version: 4, data: 4), "version 4.0"),
    Fault(array(header(), version: 0, data: 4), "version 0.0"),
    Fault(Array(array(header(), data: 4)[..<9]), "does not start"),
    Fault(Array(array(header(), data: 4)[..<40]), "ends in the header"),
    Fault(Array("\u{93}NUMPX".unicodeScalars.map { UInt8($0.value) }), "neither"),
    Fault([0x93] + Array("NUMPY".utf8) + [2, 0, 255, 255, 255], "ends in the header"),
    Fault([0x93] + Array("NUMPY".utf8) + [2, 0, 255, 255, 255, 255], "more than 65536"),
    Fault("", "there is no ‘{’"),
    Fault("[]", "there is no ‘{’"),
    Fault("{", "there is no text"),
    Fault("{}", "no shape"),
    Fault(header() + "x", "something follows"),
    Fault("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), 'x': 'y'}", "unknown ‘x’"),
    Fault("{'shape': (2,), 'shape': (2,)}", "‘shape’ is repeated"),
    Fault("{'shape': (2,) 'descr': '<i2'}", "there is no ‘}’"),
    Fault("{'shape' (2,)}", "there is no ‘:’"),
    Fault("{'descr': '<i2', 'shape': (2,)}", "no fortran_order"),
    Fault("{'fortran_order': False, 'shape': (2,)}", "no descr"),
    Fault(header("True"), "no descr"),
    Fault(header("None"), "no text, truth value or tuple"),
    Fault(header("'<i2"), "there is no ‘}’"),
    Fault(header("'<\\x692'"), "an escape"),
    Fault(header("'<i2'", "Fals"), "no literal"),
    Fault(header("'<i2'", "0"), "no text, truth value"),
    Fault(header("'<i2'", "False", "(2)"), "lacks its comma"),
    Fault(header("'<i2'", "False", "(2LL,)"), "there is no ‘)’"),
    Fault(header("'<i2'", "False", "(-2,)"), "no size"),
    Fault(header("'<i2'", "False", "(02,)"), "no size"),
    Fault(header("'<i2'", "False", "(,)"), "no size"),
    Fault(header("'<i2'", "False", "(2,"), "no size"),
    Fault(header("'<i2'", "False", "((2,),)"), "no size"),
    Fault(header("'<i2'", "False", "'2'"), "no shape"),
    Fault(header("'<i2'", "False", "(9223372036854775808,)"), "too large"),
    Fault(header("'<i2'", "False", "(9223372036854775807,)"), "too large"),
    Fault(header("'<i2'", "False", "(4294967296, 4294967296)"), "too large"),
    Fault(header("'<i2'", "True", "(0, 4294967296, 4294967296)"), "too large"),
    Fault(
      header("'<i2'", "False", "(\(String(repeating: "1, ", count: 65)))"), "65 dimensions"),
    Fault(header("'<V2'"), "‘<V2’, which can't be read: it may be bfloat16"),
    Fault(header("'bfloat16'"), "it may be bfloat16"),
    Fault(header("'|O'"), "pickled objects"),
    Fault(header("'<c16'"), "‘<c16’"),
    Fault(header("'<V1'"), "it may be a type of 8 bits"),
    Fault(header("'<U5'"), "‘<U5’"),
    Fault(header("'i3'"), "‘i3’"),
    Fault(header("'<float32'"), "‘<float32’"),
    Fault(header("'f4,f4'"), "‘f4,f4’, which can't be read: its elements have several parts"),
    Fault(header("'2f4'"), "‘2f4’"),
    Fault(header("'<f16'"), "‘<f16’"),
    Fault(header("[('x', '<f4'), ('y', '<f4')]"), "type ‘[('x', '<f4'), ('y', '<f4')]’"),
    Fault(header("[[("), "there is no ‘}’"),
    Fault(array("{'descr", data: 0, padding: false), "a text does not end"),
  ]

  @Test(arguments: faults)
  func isRefused(_ fault: Fault) throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("a.npy", fault.content)
    let error = #expect(throws: NumPyError.self) {
      try Checkpoint(reading: try NumPy().open(file))
    }
    #expect(error?.description.contains(fault.reason) == true, "\(error?.description ?? "")")
    // The same array in an npz; its text differs where there is no array at all.
    let zip = try folder.file("a.npz", HandmadeZip(entries: [.init("w.npy", fault.content)]).bytes)
    let inside = #expect(throws: NumPyError.self) {
      try Checkpoint(reading: try NumPy().open(zip))
    }
    #expect(inside?.description.contains("‘w’") == true, "\(inside?.description ?? "")")
  }

  @Test func whatIsNoArrayOfNumbersIsListedAndRefusedWhenRead() throws {
    let folder = try TemporaryFolder()
    let entries: [HandmadeZip.Entry] = [
      .init("README.txt", [1, 2, 3]), .init("w.npy", Self.array(Self.header(), data: 4)),
      .init("object.npy", Self.array(Self.header("'|O'"), data: 7)),
      .init("text.npy", Self.array(Self.header("'<U5'"), data: 40)),
    ]
    let content = HandmadeZip(entries: entries).bytes
    let file = try folder.file("a.npz", content)
    // The first entry is no array, so that the start alone does not tell.
    #expect(!NumPy.recognises(content) && NumPy.recognises(contentsOf: file))
    let other = try folder.file("b.npz", HandmadeZip(entries: [.init("a.txt", [1])]).bytes)
    #expect(!NumPy.recognises(contentsOf: other))
    let source = try NumPy().open(file)
    #expect(source.entries.map(\.name) == ["w"])
    #expect(source.unreadable.map(\.name) == ["object", "text"])
    #expect(source.unreadable.map(\.type) == ["|O", "<U5"])
    #expect(source.notes.count == 1 && source.notes[0].contains("‘README.txt’ is left out"))
    #expect(try source.tensor(named: "w").bytes == [0, 1, 2, 3])
    for (name, reason) in [
      ("object", "pickled objects"), ("text", "‘<U5’"),
    ] {
      let error = #expect(throws: NumPyError.self) { try source.tensor(named: name) }
      #expect(
        error?.description.contains(reason) == true && error?.description.contains(name) == true)
    }
    #expect(throws: NumPyError.self) { try NumPy().write(source, to: folder.file("c.npz")) }
  }

  @Test(arguments: ["array.npy", "mlp_5_4_3.npz", "mlp_5_4_3_deflate.npz"])
  func everyTruncationIsRefused(_ name: String) throws {
    try everyTruncation(of: fixture(name), by: NumPy(), as: name)
  }

  @Test(arguments: fixtures)
  func mutationsAreErrorsOrContent(_ name: String) throws {
    let errors = try mutations(of: fixture(name), by: NumPy(), count: 2000)
    #expect(errors > 200)
  }
}
