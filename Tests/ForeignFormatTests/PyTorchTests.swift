// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import NumPyFormat
import PyTorchFormat
import SafetensorsFormat
import Testing

/// The files of `torch.save`.
struct PyTorchTests {
  private static let readable = [
    "mlp_5_4_3.pt", "training_checkpoint.pt", "dtypes_and_strides.pt", "legacy_format.pt",
  ]

  private func open(_ bytes: [UInt8]) throws -> any CheckpointSource {
    let folder = try TemporaryFolder()
    // The source keeps the file open, so that the folder may go.
    return try PyTorch().open(try folder.file("a.pt", bytes))
  }

  @Test(arguments: readable)
  func filesOfPyTorchAreRead(_ name: String) throws {
    let expected = try expectedTensors(of: name)
    let source = try PyTorch().open(fixture(name))
    for (name, values) in expected { expect(try source.tensor(named: name), is: values, name) }
    let others = source.entries.map(\.name).filter { expected[$0] == nil }
    #expect(
      others
        == (name == "training_checkpoint.pt"
          ? (0..<4).map { "optimizer_state.state.\($0).momentum_buffer" } : []))
    #expect(source.kind == .checkpoint)
    #expect(throws: CheckpointError.self) { try source.tensor(named: "no such tensor") }
    let again = try Checkpoint(reading: source)
    for entry in source.entries.reversed() {
      #expect(try source.tensor(named: entry.name) == again.tensor(named: entry.name))
    }
  }

  @Test func plainValuesBecomeMetadata() throws {
    let source = try PyTorch().open(fixture("training_checkpoint.pt"))
    let group = "optimizer_state.param_groups.0"
    #expect(
      source.metadata == [
        "epoch": 3, "note": "é", "\(group).lr": .number(0.1), "\(group).momentum": .number(0.9),
        "\(group).dampening": 0, "\(group).weight_decay": 0, "\(group).nesterov": false,
        "\(group).maximize": false, "\(group).differentiable": false,
        "\(group).params": .array([0, 1, 2, 3]),
      ])
  }

  @Test func whatIsOfWhichFormat() throws {
    let torch = Self.readable + ["whole_module.pt", "hostile_pickle.pt"]
    for name in torch + NumPyTests.fixtures + ["dtypes.safetensors"] {
      let start = Array(try bytes(of: fixture(name)).prefix(4096))
      #expect(PyTorch.recognises(start) == torch.contains(name), "\(name)")
      #expect(NumPy.recognises(start) == NumPyTests.fixtures.contains(name), "\(name)")
      #expect(Safetensors.recognises(start) == (name == "dtypes.safetensors"), "\(name)")
    }
    for (first, isTorch) in [
      ("archive/data.pkl", true), ("name/version", true), ("name/.format_version", true),
      ("name/data/0", true), ("name/code/x.py", true), ("data.pkl", false), ("word/a.xml", false),
      ("name/data/0.npy", false), ("name/deep/data.pkl", false),
    ] {
      let start = HandmadeZip(entries: [.init(first, [1])]).bytes
      #expect(PyTorch.recognises(start) == isTorch, "\(first)")
      #expect(NumPy.recognises(start) == first.hasSuffix(".npy"), "\(first)")
    }
    #expect(!PyTorch.recognises([]) && !PyTorch.recognises([0x80, 2]))
    #expect(!PyTorch.recognises([0x80, 2, 0x7D, 0x2E]))
  }

  @Test func nothingIsExecuted() throws {
    let before = try FileManager.default.contentsOfDirectory(atPath: ".")
    let error = #expect(throws: PyTorchError.self) {
      try PyTorch().open(fixture("hostile_pickle.pt"))
    }
    #expect(error == .pickle(file: fixture("hostile_pickle.pt").path, .call("posix.system")))
    #expect(error?.description.contains("‘posix.system’") == true)
    #expect(error?.description.contains("nothing was executed") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: ".") == before)
    #expect(!FileManager.default.fileExists(atPath: "lcw-pickle-executed"))
    // The same through os, with the command to leave a mark in a folder of ours.
    let folder = try TemporaryFolder()
    let mark = folder.file("executed").path
    for module in ["os", "posix", "subprocess"] {
      let call =
        Op.global(module, "system") + Op.tuple([Op.text("touch '\(mark)'")]) + Op.reduce
      let file = try folder.file("a.pt", torchFile(Op.dictionary([("w", call)])))
      let error = #expect(throws: PyTorchError.self) { try PyTorch().open(file) }
      #expect(error?.description.contains("‘\(module).system’") == true)
    }
    #expect(try folder.names == ["a.pt"])
  }

  @Test func aModuleIsRefusedWithAdvice() throws {
    let error = #expect(throws: PyTorchError.self) {
      try PyTorch().open(fixture("whole_module.pt"))
    }
    #expect(error?.description.contains("save model.state_dict() instead") == true)
    #expect(error?.description.contains("‘torch.nn.modules.container.Sequential’") == true)
  }

  @Test func itCannotBeWritten() throws {
    let folder = try TemporaryFolder()
    #expect(!PyTorch.canWrite)
    #expect(throws: CheckpointError.self) {
      try PyTorch().write(Checkpoint(), to: folder.file("a.pt"))
    }
    #expect(try folder.names == [])
  }

  // MARK: - What the pickle holds

  /// A tensor of the two rows of three elements that hand-made files have in their storage.
  private static let matrix = Op.tensor(Op.storage(count: 6), [2, 3], [3, 1])

  private func names(_ value: [UInt8]) throws -> [String] {
    try open(torchFile(value + Op.stop)).entries.map(\.name)
  }

  @Test func namesAreThePathsToTensors() throws {
    let matrix = Self.matrix
    #expect(try names(matrix) == ["tensor"])
    #expect(try names(Op.tuple([matrix, matrix])) == ["0", "1"])
    #expect(try names(Op.emptyList) == [])
    let inner = Op.emptyDict + Op.integer(7) + matrix + Op.setItem
    #expect(
      try names(Op.emptyDict + Op.text("ä b") + Op.tuple([Op.none, inner]) + Op.setItem)
        == ["ä b.1.7"])
    func fails(_ value: [UInt8], _ reason: String) {
      let error = #expect(throws: PyTorchError.self) { try names(value) }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
    func dictionary(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
      Op.emptyDict + key + value + Op.setItem
    }
    fails(dictionary(Op.none, matrix), "neither a text nor an integer")
    fails(dictionary(Op.text(String(repeating: "a", count: 513)), matrix), "more than 512 bytes")
    #expect(try names(dictionary(Op.text(""), matrix)) == [""])
    fails(
      dictionary(Op.text("a.b"), matrix) + Op.text("a") + dictionary(Op.text("b"), matrix)
        + Op.setItem, "‘a.b’ can't be read: two tensors have this name")
    fails(dictionary(Op.text("a"), Op.storage(count: 6)), "‘a’ can't be read: it is a storage")
    fails(Op.integer(3), "a single value")
    // A key without a text does no harm where nothing but numbers is behind it.
    #expect(
      try names(dictionary(Op.none, Op.integer(3)) + Op.text("w") + matrix + Op.setItem) == ["w"])
  }

  @Test func metadataKeepWhatFits() throws {
    let longList = Op.emptyList + (0..<257).flatMap { Op.integer($0) + Op.append }
    let source = try open(
      torchFile(
        Op.dictionary([
          ("list", Op.emptyList + Op.integer(1) + Op.append + Op.text("a") + Op.append),
          ("mixed", Op.tuple([Op.integer(1), Op.none, Self.matrix])), ("long", longList),
          ("none", Op.none), ("bytes", [0x43, 1, 1]), ("type", Op.global("torch", "float32")),
          ("wide", [0x8A, 9] + [UInt8](repeating: 1, count: 9)), ("empty", Op.emptyList),
          ("text", Op.text(String(repeating: "a", count: 4097))),
          ("nan", [0x47, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0]),
        ])))
    #expect(
      source.metadata == [
        "list": .array([1, "a"]), "mixed.0": 1, "type": "torch.float32", "nan": "nan",
      ])
    #expect(source.entries.map(\.name) == ["mixed.2"])
    let many = (0..<2000).map { ("k\($0)", Op.integer(1)) }
    #expect(try open(torchFile(Op.dictionary(many))).metadata.count == 1024)
  }

  @Test func whatIsNestedTooDeeplyOrSharedTooOftenIsRefused() throws {
    func fails(_ value: [UInt8]) {
      let error = #expect(throws: PyTorchError.self) { try names(value) }
      #expect(error?.description.contains("nested deeper") == true, "\(error?.description ?? "")")
    }
    fails([UInt8](repeating: 0x28, count: 70) + [UInt8](repeating: 0x6C, count: 70))
    fails(Op.none + [UInt8](repeating: 0x85, count: 100_000))
    // A list that holds itself.
    fails(Array("]q\u{0}h\u{0}a".utf8))
    // A tuple of two of the one before, forty times: a million million values.
    fails(Op.none + (0..<40).flatMap { _ in [0x32, 0x86] as [UInt8] })
  }

  // MARK: - Tensors and their storages

  /// The numbers 0 to 5 of two bytes.
  private static let numbers = (0..<6).flatMap { little(Int16($0)) }

  private func values(
    _ sizes: [Int], _ strides: [Int], offset: Int = 0, type: String = "ShortStorage"
  ) throws -> [Double] {
    let storage = Op.storage(type, count: 6)
    let pickle = Op.dictionary([("w", Op.tensor(storage, sizes, strides, offset: offset))])
    let found = try open(torchFile(pickle, storages: [("0", Self.numbers)])).tensor(named: "w")
    #expect(found.shape.dimensions == sizes)
    return found.doubles
  }

  @Test func stridesAndOffsets() throws {
    #expect(try values([6], [1]) == [0, 1, 2, 3, 4, 5])
    #expect(try values([2, 3], [3, 1]) == [0, 1, 2, 3, 4, 5])
    #expect(try values([3, 2], [1, 3]) == [0, 3, 1, 4, 2, 5])
    #expect(try values([2], [2], offset: 3) == [3, 5])
    #expect(try values([2, 2], [1, 1], offset: 1) == [1, 2, 2, 3])
    #expect(try values([2, 2, 2], [3, 0, 1]) == [0, 1, 0, 1, 3, 4, 3, 4])
    #expect(try values([], [], offset: 5) == [5])
    #expect(try values([0, 3], [3, 1]) == [])
    #expect(try values([0, 3], [3, 1], offset: 100) == [])
    // Strides of dimensions of size one are never taken.
    #expect(try values([1, 6, 1], [Int.max, 1, Int.max]) == [0, 1, 2, 3, 4, 5])
    #expect(try values([1000], [0], offset: 2) == [Double](repeating: 2, count: 1000))
  }

  @Test func eachTensorHasItsOwnStorage() throws {
    // Two storages with two tensors each: the reader keeps one of them from tensor to tensor.
    let pickle = Op.dictionary(
      [("a", "0", 0), ("b", "1", 0), ("c", "0", 3), ("d", "1", 3)].map { name, key, offset in
        let storage = Op.storage("ShortStorage", key: key, count: 6)
        return (name, Op.tensor(storage, [3], [1], offset: offset))
      })
    let others = (10..<16).flatMap { little(Int16($0)) }
    let source = try open(torchFile(pickle, storages: [("0", Self.numbers), ("1", others)]))
    let expected: [(String, [Double])] = [
      ("a", [0, 1, 2]), ("b", [10, 11, 12]), ("c", [3, 4, 5]), ("d", [13, 14, 15]),
    ]
    for (name, values) in expected + expected.reversed() {
      #expect(try source.tensor(named: name).doubles == values, "\(name)")
    }
  }

  @Test(arguments: [
    ([7], [1], 0, "element 7 of a storage of 6"), ([6], [1], 1, "element 7"),
    ([2, 3], [4, 1], 0, "element 7"), ([], [], 6, "element 7"), ([1], [1], -1, "offset -1"),
    ([2], [-1], 1, "do not fit"), ([2], [1, 1], 0, "do not fit"), ([-1], [1], 0, "negative"),
    ([Int.max, 2], [0, 0], 0, "too large"), ([3], [Int.max / 2], 0, "element"),
    ([4], [Int.max / 2], 0, "do not fit"), ([1], [1], Int.max, "do not fit"),
    ([], [], Int.max, "do not fit"),
    ([1 << 30], [0], 0, "repeats"), ([Int.max], [0], 0, "repeats"),
  ])
  func misfitsAreRefused(sizes: [Int], strides: [Int], offset: Int, reason: String) throws {
    let error = #expect(throws: PyTorchError.self) {
      try values(sizes, strides, offset: offset)
    }
    #expect(error?.description.contains("the tensor ‘w’") == true)
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test func storagesThatAreNotAsStated() throws {
    func fails(_ bytes: [UInt8], _ reason: String) {
      let error = #expect(throws: PyTorchError.self) { try open(bytes) }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
    let pickle = Op.dictionary([("w", Self.matrix)])
    #expect(throws: Never.self) { try open(torchFile(pickle)) }
    #expect(throws: Never.self) { try open(torchFile(pickle, byteOrder: nil)) }
    fails(torchFile(pickle, storages: []), "no storage ‘0’")
    fails(torchFile(pickle, storages: [("0", [1, 2, 3])]), "has 3 bytes, but 6 elements of 4")
    fails(torchFile(pickle, byteOrder: "big"), "big-endian")
    fails(torchFile(pickle, byteOrder: "middle"), "byte order")
    fails(torchFile(pickle, byteOrder: String(repeating: "l", count: 99)), "byte order")
    fails(torchFile(pickle + [0]), "something follows the pickle")
    fails(torchFile(pickle.dropLast()), "ends early")
    fails(
      torchFile(
        Op.dictionary([("w", Op.tensor(Op.storage(count: Int.max), [1], [1]))])), "elements of 4")
    fails(
      HandmadeZip(entries: [.init("a/version", [1])]).bytes,
      "no entry data.pkl: it may be incomplete")
    fails(
      HandmadeZip(entries: [.init("a/data.pkl", pickle), .init("b/data.pkl", pickle)]).bytes,
      "2 entries data.pkl")
    fails([1, 2, 3], "neither a zip nor a stream")
    fails(Op.dictionary([("w", Op.none)]), "neither a zip nor a stream")
    let name = Array("sys_info".utf8)
    let tar = name + [UInt8](repeating: 0, count: 257 - name.count) + Array("ustar  ".utf8)
    let whole = tar + [UInt8](repeating: 0, count: 1024 - tar.count)
    #expect(PyTorch.recognises(whole))
    fails(whole, "a tar of PyTorch before 0.1.10")
  }

  // MARK: - The legacy stream

  private static func legacy(
    version: Int = 1001, little isLittle: Bool = true, keys: [String] = ["0"], count: Int = 6,
    end: [UInt8] = []
  ) -> [UInt8] {
    let magic: [UInt8] = [
      0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
    ]
    let truth: [UInt8] = isLittle ? [0x88] : [0x89]
    let parts = [
      magic, Op.integer(version) + Op.stop, Op.dictionary([("little_endian", truth)]),
      Op.dictionary([("w", matrix)]),
      Op.emptyList + keys.flatMap { Op.text($0) + Op.append } + Op.stop,
      keys.flatMap { _ in little(Int64(count)) + [UInt8](repeating: 1, count: count * 4) }, end,
    ]
    return parts.flatMap(\.self)
  }

  @Test func legacyStreams() throws {
    #expect(try open(Self.legacy()).tensor(named: "w").bytes == [UInt8](repeating: 1, count: 24))
    #expect(PyTorch.recognises(Self.legacy()))
    func fails(_ bytes: [UInt8], _ reason: String) {
      let error = #expect(throws: PyTorchError.self) { try open(bytes) }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
    fails(Self.legacy(version: 1000), "version is not 1001")
    fails(Self.legacy(little: false), "big-endian")
    fails(Self.legacy(keys: []), "no storage ‘0’")
    fails(Self.legacy(keys: ["0", "0"]), "a storage twice")
    fails(Self.legacy(keys: ["1"]), "that no tensor has")
    fails(Self.legacy(count: 5), "has 5 elements, but 6")
    fails(Self.legacy(end: [0]), "1 bytes follow")
    fails(Self.legacy().dropLast(), "ends in a storage")
    fails(Self.legacy().dropLast(30), "ends before a storage")
    fails(Self.legacy().dropLast(33), "ends early")
  }

  // MARK: - Damage

  @Test(arguments: ["mlp_5_4_3.pt", "legacy_format.pt"])
  func everyTruncationIsRefused(_ name: String) throws {
    try everyTruncation(of: fixture(name), by: PyTorch(), as: name)
  }

  @Test(arguments: readable + ["whole_module.pt", "hostile_pickle.pt"])
  func mutationsAreErrorsOrContent(_ name: String) throws {
    let errors = try mutations(of: fixture(name), by: PyTorch(), count: 2000)
    #expect(errors > 500)
  }

  /// Changes in the pickle itself, which the zip's checksum would else catch.
  @Test func mutationsOfThePickleAreErrorsOrContent() throws {
    let storages = [("0", Self.numbers + Self.numbers)]
    let pickle = Op.dictionary([
      ("w", Self.matrix), ("epoch", Op.integer(3)), ("list", Op.tuple([Self.matrix, Op.none])),
    ])
    let folder = try TemporaryFolder()
    var noise = Noise(5)
    var errors = 0
    for _ in 0..<2000 {
      var changed = pickle
      changed[Int(noise.next() % UInt64(pickle.count))] = UInt8(noise.next() & 0xFF)
      let file = try folder.file("a.pt", torchFile(changed, storages: storages))
      do {
        _ = try Checkpoint(reading: try PyTorch().open(file))
      } catch {
        errors += 1
        #expect(error is PyTorchError && !"\(error)".contains { $0.isNewline }, "\(error)")
      }
    }
    #expect(errors > 1000 && errors < 2000)
  }
}
