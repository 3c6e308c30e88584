// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics
import NumPyFormat
import PyTorchFormat
import SafetensorsFormat
import Testing

/// Files as people have them: packed again by a system, written by old or by other programs, with
/// objects beside the weights.
struct UsersFilesTests {
  // MARK: - Zip files without checksums

  @Test func aFileOfTorchWithoutChecksumsOpens() throws {
    let source = try PyTorch().open(fixture("02_no_crc32.pt"))
    #expect(source.entries.map(\.name) == ["w"])
    #expect(try source.tensor(named: "w").shape == [2])
    #expect(source.hasChecksums == false)
    #expect(try PyTorch().open(fixture("mlp_5_4_3.pt")).hasChecksums == true)
    // The stream from before the zip has none either.
    #expect(try PyTorch().open(fixture("legacy_format.pt")).hasChecksums == false)
  }

  /// A file of torch with the sums of one entry set to a value, in its header and in the directory.
  private func torch(withSum sum: UInt32) -> [UInt8] {
    let content = [UInt8](repeating: 1, count: 24)
    let file = torchFile(Op.dictionary([("w", Op.tensor(Op.storage(count: 6), [6], [1]))]))
    let old = little(checksum(content))
    return file.split(separator: old, omittingEmptySubsequences: false)
      .joined(separator: little(sum)).map(\.self)
  }

  @Test func aWrongChecksumIsAnErrorAllTheSame() throws {
    let folder = try TemporaryFolder()
    let zero = try PyTorch().open(try folder.file("a.pt", torch(withSum: 0)))
    #expect(try zero.tensor(named: "w").bytes == [UInt8](repeating: 1, count: 24))
    #expect(zero.hasChecksums == false)
    let wrong = try PyTorch().open(try folder.file("b.pt", torch(withSum: 1)))
    #expect(throws: ZipError.self) { try wrong.tensor(named: "w") }
    // In a file of NumPy's 0 is a sum like any other.
    let array = try bytes(of: fixture("array.npy"))
    let zip = HandmadeZip(entries: [.init("a.npy", array)]).bytes
    let sum = little(checksum(array))
    let zeroed = zip.split(separator: sum, omittingEmptySubsequences: false)
      .joined(separator: little(UInt32(0))).map(\.self)
    let source = try NumPy().open(try folder.file("c.npz", zeroed))
    #expect(throws: ZipError.self) { try source.tensor(named: "a") }
  }

  @Test func aFileOfTorchThatWasPackedAgainIsKnown() throws {
    let folder = try TemporaryFolder()
    let pickle = Op.dictionary([("w", Op.tensor(Op.storage(count: 6), [6], [1]))])
    let bytes = HandmadeZip(entries: [
      .init("__MACOSX/a/._data.pkl", [0, 5]), .init("a/data.pkl", pickle),
      .init("a/data/0", [UInt8](repeating: 1, count: 24)),
    ]).bytes
    let file = try folder.file("a.pt", bytes)
    #expect(!PyTorch.recognises(bytes) && PyTorch.recognises(contentsOf: file))
    #expect(try PyTorch().open(file).entries.map(\.name) == ["w"])
    let other = try folder.file("b.npz", HandmadeZip(entries: [.init("a.npy", [1])]).bytes)
    #expect(!PyTorch.recognises(contentsOf: other))
  }

  // MARK: - NumPy

  @Test func whatMacOSLeavesInAZipIsNoArray() throws {
    let source = try NumPy().open(fixture("05_macos.npz"))
    #expect(source.entries.map(\.name) == ["a"] && source.unreadable.isEmpty)
    #expect(try Checkpoint(reading: source).tensors.map(\.tensor.shape) == [[2, 3]])
    #expect(source.notes.count == 1)
    #expect(source.notes[0].contains("‘__MACOSX/._a.npy’ is left out: macOS"))
  }

  @Test func oneDamagedArrayDoesNotHideTheOthers() throws {
    let folder = try TemporaryFolder()
    let good = try bytes(of: fixture("array.npy"))
    let entries: [HandmadeZip.Entry] = [
      .init(".DS_Store", [1]), .init("sub/._b.npy", [2]), .init("readme.txt", [3]),
      .init("Thumbs.db", [4]), .init("empty/", [], attributes: 0o040755 << 16),
      .init("good.npy", good),
      .init("cut.npy", Array(good.dropLast())), .init("text.npy", Array("hello".utf8)),
      .init(".npy", good),
    ]
    let source = try NumPy().open(
      try folder.file("a.npz", HandmadeZip(entries: entries).bytes))
    #expect(source.entries.map(\.name) == ["good", ""])
    #expect(source.unreadable.map(\.name) == ["cut", "text"])
    #expect(source.notes.count == 4)
    #expect(try source.tensor(named: "") == source.tensor(named: "good"))
    for (name, reason) in [("cut", "follow the header"), ("text", "does not start")] {
      let error = #expect(throws: NumPyError.self) { try source.tensor(named: name) }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
    #expect(throws: NumPyError.self) { try Checkpoint(reading: source) }
    let selected = try CheckpointView(of: source, selecting: ["good"])
    #expect(try Checkpoint(reading: selected).tensors.count == 1)
  }

  @Test(arguments: ["08_python2_long.npy", "08_native.npy", "08_equal.npy"])
  func headersThatNumPyReads(_ name: String) throws {
    let tensor = try NumPy().open(fixture(name)).tensor(named: "array")
    #expect(tensor.elementType == .float32 && tensor.shape == [2, 3])
  }

  /// An array of one element with a type's name in its header.
  private func array(_ type: String, width: Int) -> [UInt8] {
    let text = Array("{'descr': u'\(type)', 'fortran_order': False, 'shape': (1L,)}\t\n".utf8)
    return [0x93] + Array("NUMPY".utf8) + [1, 0] + little(UInt16(text.count)) + text
      + (1...UInt8(width))
  }

  /// The names that `numpy.dtype` takes for each type, as NumPy 2.4 tells on Linux.
  static let names: [(ElementType, [String])] = [
    (.bool, ["?", "b1", "bool", "bool_", "<?", "<b1", ">?", ">b1", "=?", "=b1", "|?", "|b1"]),
    (.int8, ["b", "i1", "byte", "int8", "<b", ">i1", "=b", "|i1"]),
    (.uint8, ["B", "u1", "ubyte", "uint8", "<u1", ">B", "=u1", "|B"]),
    (.int16, ["h", "i2", "short", "int16", "<h", "=i2", "|i2"]),
    (.uint16, ["H", "u2", "ushort", "uint16", "<H", "=u2", "|u2"]),
    (.int32, ["i", "i4", "intc", "int32", "<i", "=i4", "|i4"]),
    (.uint32, ["I", "u4", "uintc", "uint32", "<I", "=u4", "|I"]),
    (.int64, ["l", "q", "n", "p", "i8", "int", "int_", "intp", "longlong", "long", "int64", "<l"]),
    (.uint64, ["L", "Q", "u8", "uint", "ulong", "uintp", "ulonglong", "uint64", "=N", "|u8"]),
    (.float16, ["e", "f2", "float16", "half", "<e", "=f2", "|f2"]),
    (.float32, ["f", "f4", "float32", "single", "<f", "=f4", "|f4"]),
    (.float64, ["d", "f8", "float", "float64", "double", "<d", "=f8", "|d"]),
    (.complex64, ["F", "c8", "csingle", "complex64", "<c8", "=F", "|c8"]),
  ]

  @Test(arguments: names)
  func namesOfTypes(type: ElementType, names: [String]) throws {
    let folder = try TemporaryFolder()
    for name in names {
      let file = try folder.file("a.npy", array(name, width: type.width))
      let tensor = try NumPy().open(file).tensor(named: "array")
      #expect(tensor.elementType == type, "\(name)")
      #expect(tensor.bytes == Array(1...UInt8(type.width)), "\(name)")
    }
    let code = try #require(names.first { $0.count == 2 && $0.last?.isNumber == true })
    let big = try folder.file("b.npy", array(">" + code, width: type.width))
    let bytes = try NumPy().open(big).tensor(named: "array").bytes
    // The parts of a complex number are turned, not the number.
    #expect(
      bytes
        == (type == .complex64 ? [4, 3, 2, 1, 8, 7, 6, 5] : (1...UInt8(type.width)).reversed()))
  }

  // MARK: - Names

  @Test func namesThatLookAlikeAreTwoInEveryFormat() throws {
    let folder = try TemporaryFolder()
    let source = try Safetensors().open(fixture("06_nfc.safetensors"))
    let names = source.entries.map { Array($0.name.utf8) }
    #expect(Set(names).count == 2 && source.entries[0].name == source.entries[1].name)
    let values = try source.entries.map { try source.tensor(named: $0.name).bytes }
    #expect(values[0] != values[1])
    var files: [(any CheckpointFormat, String)] = [(Safetensors(), "a.safetensors")]
    files.append((NumPy(), "a.npz"))
    for (format, name) in files {
      try format.write(source, to: folder.file(name))
      let back = try format.open(folder.file(name))
      for (entry, value) in zip(source.entries, values) {
        #expect(try back.tensor(named: entry.name).bytes == value, "\(name)")
      }
      #expect(back.entries.count == 2)
      #expect(try CheckpointDifference.all(source, back).allSatisfy { $0.verdict == .equal })
    }
    let pickle = Op.dictionary([
      (source.entries[0].name, Op.tensor(Op.storage(count: 6), [1], [1])),
      (source.entries[1].name, Op.tensor(Op.storage(count: 6), [2], [1])),
    ])
    let torch = try PyTorch().open(try folder.file("a.pt", torchFile(pickle)))
    #expect(try torch.entries.map { try torch.tensor(named: $0.name).shape } == [[1], [2]])
    // One is selected and renamed without the other.
    let first = try CheckpointView(of: source, selecting: [source.entries[0].name])
    #expect(first.entries.map { Array($0.name.utf8) } == [names[0]])
    let renamed = try CheckpointView(of: source, renaming: [(source.entries[1].name, "x")])
    #expect(renamed.entries.map { Array($0.name.utf8) } == [names[0], Array("x".utf8)])
  }

  @Test func headersThatTheLibraryOfSafetensorsReads() throws {
    let folder = try TemporaryFolder()
    let null = try Safetensors().open(fixture("07_meta_null.safetensors"))
    #expect(null.metadata.isEmpty && null.entries.map(\.shape) == [[2, 3]])
    let empty = try Safetensors().open(fixture("07_empty_name.safetensors"))
    #expect(empty.entries.map(\.name) == [""])
    // It is written as it was read, and by NumPy.
    for (format, name) in [(Safetensors(), "b.safetensors"), (NumPy(), "b.npz")]
      as [(any CheckpointFormat, String)]
    {
      try format.write(empty, to: folder.file(name))
      #expect(
        try Checkpoint(reading: format.open(folder.file(name))) == Checkpoint(reading: empty))
    }
    let entry = "\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]"
    let headers = [
      "{\"a\":{\(entry),\"x\":null}}", "{\"a\":{\(entry),\"x\":[null,{\"y\":1e3}]}}",
      "{\"a\":{\(entry),\"x\":99999999999999999999999}}",
      "{\"__metadata__\":{\"\u{E9}\":\"1\",\"e\u{301}\":\"2\"},\"a\":{\(entry)}}",
    ]
    for header in headers {
      let file = try folder.file(
        "a", little(UInt64(header.utf8.count)) + Array(header.utf8) + [1, 2, 3, 4])
      let source = try Safetensors().open(file)
      #expect(try source.tensor(named: "a").bytes == [1, 2, 3, 4], "\(header)")
      #expect(source.notes.isEmpty == source.metadata.isEmpty, "\(header)")
    }
  }

  // MARK: - Types that are only kept

  @Test func unsignedIntegersAreReadWrittenAndCompared() throws {
    let folder = try TemporaryFolder()
    let source = try Safetensors().open(fixture("17_u16_u64.safetensors"))
    #expect(Set(source.entries.map(\.elementType)) == [.uint16, .uint64, .float32])
    for (format, name) in [(Safetensors(), "b.safetensors"), (NumPy(), "b.npz")]
      as [(any CheckpointFormat, String)]
    {
      try format.write(source, to: folder.file(name))
      let back = try format.open(folder.file(name))
      #expect(try CheckpointDifference.all(source, back).allSatisfy { $0.verdict == .equal })
    }
    let error = #expect(throws: CheckpointError.self) { try source.floats(named: "w") }
    #expect(error?.description.contains("‘w’ has elements of type u16") == true)
    #expect(throws: Never.self) { try source.floats(named: "b") }
  }

  // MARK: - Objects beside weights

  @Test func weightsBesideANamespaceAreRead() throws {
    let source = try PyTorch().open(fixture("15_args_namespace.pt"))
    #expect(
      source.entries.map(\.name) == [
        "state_dict.0.weight", "state_dict.0.bias", "state_dict.2.weight", "state_dict.2.bias",
      ])
    #expect(try Checkpoint(reading: source).tensors.count == 4)
    #expect(
      source.notes == ["‘args’ is left out: it is an object of argparse.Namespace, and not built"])
  }

  @Test func objectsOfEveryKindAreNamedAndNotBuilt() throws {
    let source = try PyTorch().open(fixture("objects.pt"))
    #expect(source.entries.map(\.name) == ["w", "ordered.a"])
    #expect(try source.tensor(named: "w").floats.elements == [0, 1, 2, 3])
    func isNamed(_ name: String, _ type: String) -> Bool {
      source.notes.contains { $0.hasPrefix("‘\(name)’ is left out") && $0.contains(type) }
    }
    for (name, type) in [
      ("path", "PurePosixPath"), ("date", "datetime.datetime"), ("delta", "datetime.timedelta"),
      ("color", "config.Color"), ("config", "config.Config"), ("bag", "config.Bag"),
      ("array", "numpy.ndarray"), ("text", "numpy.ndarray"), ("args", "argparse.Namespace"),
      ("numpy_random.1", "numpy.ndarray"), ("generator", "numpy.random"),
      ("deque", "collections.deque"), ("decimal", "decimal.Decimal"), ("uuid", "uuid.UUID"),
      ("space", "types.SimpleNamespace"), ("list.1", "config.Color"),
      ("module", "torch.nn.modules.linear.Linear"), ("complex", "complex"),
    ] {
      #expect(isNamed(name, type), "\(name): \(source.notes)")
    }
    #expect(source.notes.contains("2 tensors are left out with the objects"))
    #expect(source.metadata["cls"] == "config.Config")
    #expect(source.metadata["lambda_default.k"] == 1)
    #expect(source.metadata["set"] == .array([1]))
  }
}
