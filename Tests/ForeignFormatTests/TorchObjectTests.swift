// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import PyTorchFormat
import Testing

/// What checkpoints hold beside plain tensors and numbers, in files that PyTorch 2 wrote.
struct TorchObjectTests {
  private func open(_ value: [UInt8]) throws -> any CheckpointSource {
    let folder = try TemporaryFolder()
    return try PyTorch().open(try folder.file("a.pt", torchFile(value + Op.stop)))
  }

  private func fails(_ value: [UInt8], _ reason: String) {
    let error = #expect(throws: PyTorchError.self) { try open(value) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  // MARK: - The negative bit

  @Test func theNegativeBitIsResolved() throws {
    let source = try PyTorch().open(fixture("negative_bit.pt"))
    #expect(
      try source.tensor(named: "w").floats.elements.map(\.bitPattern)
        == [-0.0 as Float, -1, -2, -3].map(\.bitPattern))
    #expect(try source.tensor(named: "i").doubles == [0, -1, -2])
    #expect(try source.tensor(named: "plain").doubles == [0, 1, 2, 3])
  }

  /// A tensor of three elements of two bytes, with the flags as the last argument.
  private func flagged(_ flags: [UInt8], type: String = "ShortStorage") -> [UInt8] {
    Op.global("torch._utils", "_rebuild_tensor_v2")
      + Op.tuple([
        Op.storage(type, count: 12), Op.integer(0), Op.integers([3]), Op.integers([1]), Op.no,
        Op.none, flags,
      ]) + Op.reduce
  }

  private func flag(_ name: String, _ value: [UInt8] = [0x88]) -> [UInt8] {
    Op.emptyDict + Op.text(name) + value + Op.setItem
  }

  @Test func otherFlagsAreRefusedByName() throws {
    let plain: [[UInt8]] = [
      Op.none, Op.emptyDict, flag("neg", Op.no), flag("conj", Op.no), flag("else", Op.none),
    ]
    for flags in plain {
      #expect(try open(flagged(flags)).tensor(named: "tensor").bytes == [1, 1, 1, 1, 1, 1])
    }
    let negated = try open(flagged(flag("neg"))).tensor(named: "tensor")
    #expect(negated.doubles == [-257, -257, -257])
    fails(flagged(flag("conj")), "the flag ‘conj’")
    fails(flagged(flag("backend")), "the flag ‘backend’")
    fails(flagged(Op.integer(1)), "flags are wrong")
    fails(flagged(Op.emptyDict + Op.integer(1) + [0x88] + Op.setItem), "flags are wrong")
  }

  // MARK: - Plain objects

  @Test func commonObjectsArePlainData() throws {
    let source = try PyTorch().open(fixture("common_objects.pt"))
    #expect(
      source.metadata == [
        "counter.1": 2, "counter.2": 1, "defaults.k": 1, "set": .array([7]), "device": "cuda:1",
        "cpu": "cpu", "f8": .number(0.5), "f4": .number(0.25), "f2": .number(-1.5), "i8": -3,
        "u2": 65535, "b1": true, "again": .number(2.5),
      ])
    #expect(source.entries.map(\.name) == ["w"])
    #expect(try source.tensor(named: "w").doubles == [0, 1, 2, 3])
  }

  @Test func setsOfProtocol4AreLists() throws {
    let set: [UInt8] = [0x8F] + Op.mark + Op.integer(3) + [0x90]
    let frozen: [UInt8] = Op.mark + Op.integer(4) + [0x91]
    let source = try open(
      Op.emptyDict + Op.text("set") + set + Op.setItem + Op.text("frozen") + frozen + Op.setItem)
    #expect(source.metadata == ["set": .array([3]), "frozen": .array([4])])
  }

  @Test func whatLooksLikeThemButIsNotIsRefused() throws {
    func call(_ module: String, _ name: String, _ arguments: [[UInt8]]) -> [UInt8] {
      Op.emptyDict + Op.text("a") + Op.global(module, name) + Op.tuple(arguments) + Op.reduce
        + Op.setItem
    }
    fails(call("collections", "Counter", [Op.integer(1)]), "not what it takes")
    fails(call("_codecs", "encode", [Op.text("a"), Op.text("rot13")]), "latin-1")
    fails(call("_codecs", "encode", [Op.text("λ"), Op.text("latin1")]), "beyond 255")
    fails(call("torch", "device", [Op.text("cpu"), Op.text("x")]), "those of a device")
    fails(call("builtins", "eval", [Op.text("1")]), "would call ‘builtins.eval’")
    fails(call("builtins", "list", [Op.emptyList]), "would call ‘builtins.list’")
    fails(
      call("numpy._core.multiarray", "_reconstruct", [Op.none]), "save arrays of NumPy's as tensors"
    )
    let rebuilt = Op.tuple([
      Op.global("os", "system"), Op.global("torch.nn.parameter", "Buffer"), Op.emptyTuple, Op.none,
    ])
    fails(
      Op.global("torch._tensor", "_rebuild_from_type_v2") + rebuilt + Op.reduce,
      "not those of a tensor")
  }

  @Test func aKeyThatIsSetAgainReplaces() throws {
    let source = try open(
      Op.emptyDict + Op.text("a") + Op.integer(1) + Op.setItem + Op.text("b") + Op.integer(2)
        + Op.setItem + Op.text("a") + Op.tensor(Op.storage(count: 6), [6], [1]) + Op.setItem)
    #expect(source.metadata == ["b": 2])
    #expect(source.entries.map(\.name) == ["a"])
    // Not a number is no equal of itself, and must not take time by its number.
    let many = (0..<20_000).flatMap { _ in
      [0x47, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0] as [UInt8] + Op.none + Op.setItem
    }
    #expect(try open(Op.emptyDict + many).entries.isEmpty)
  }

  @Test(arguments: [
    ("argparse", "Namespace"), ("pathlib", "PosixPath"), ("datetime", "datetime"),
    ("config", "Config"), ("omegaconf.dictconfig", "DictConfig"),
    ("pytorch_lightning.callbacks.early_stopping", "EarlyStopping"),
    ("numpy.random.mtrand", "RandomState"),
  ])
  func anObjectBesideWeightsIsOpaque(module: String, type: String) throws {
    let newObject: [UInt8] = [0x81]
    let state = Op.emptyDict + Op.text("state") + Op.integer(1) + Op.setItem
    let object = Op.global(module, type) + Op.emptyTuple + newObject + state + Op.build
    let source = try open(
      Op.emptyDict + Op.text("odd") + object + Op.setItem + Op.text("w")
        + Op.tensor(Op.storage(count: 6), [6], [1]) + Op.setItem)
    #expect(source.entries.map(\.name) == ["w"])
    #expect(source.metadata.isEmpty)
    #expect(
      source.notes == ["‘odd’ is left out: it is an object of \(module).\(type), and not built"])
  }

  // MARK: - Types that can't be read

  @Test func typesThatAreOnlyKeptAreRead() throws {
    let source = try PyTorch().open(fixture("foreign_types.pt"))
    #expect(source.entries.map(\.elementType) == [.complex64, .float32, .float8E4M3, .uint16])
    #expect(try source.tensor(named: "b").doubles == [0, 1, 2, 3])
    #expect(try Checkpoint(reading: source).tensors.count == 4)
    for name in ["a", "c", "d"] {
      let error = #expect(throws: CheckpointError.self) { try source.floats(named: name) }
      #expect(error?.description.contains("‘\(name)’") == true)
    }
  }

  @Test func typesThatCannotBeKeptAreListedAndRefusedWhenRead() throws {
    let source = try PyTorch().open(fixture("kept_types.pt"))
    #expect(
      source.unreadable == [
        UnreadableTensor(name: "c128", type: "complex128", shape: [1], storedBytes: 16)
      ])
    let error = #expect(throws: PyTorchError.self) { try source.tensor(named: "c128") }
    #expect(error?.description.contains("‘c128’") == true)
    #expect(error?.description.contains("torch.view_as_real") == true)
    #expect(throws: PyTorchError.self) { try Checkpoint(reading: source) }
    func words(_ name: String) throws -> [UInt32] {
      let bytes = try source.tensor(named: name).bytes
      return stride(from: 0, to: bytes.count, by: 4).map { start in
        bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
      }
    }
    // The conjugates of 1 + 2i and 3 − 4i, and the imaginary parts of these, by PyTorch's lazy bits.
    #expect(try words("conj").map(Float.init(bitPattern:)) == [1, -2, 3, 4])
    #expect(try words("neg").map(Float.init(bitPattern:)) == [-2, 4])
    #expect(try source.tensor(named: "u16").bytes == [1, 0, 255, 255])
    #expect(try source.tensor(named: "u64").bytes.suffix(8).allSatisfy { $0 == 255 })
    #expect(try source.tensor(named: "e4m3").floats.elements == [1, -0.5, 448])
    #expect(try source.tensor(named: "e5m2").floats.elements == [1, -0.5, .infinity])
    let view = try CheckpointView(of: source, selecting: ["e*"])
    #expect(view.unreadable.isEmpty)
    #expect(throws: PyTorchError.self) { try CheckpointView(of: source).requireReadable() }
    // Rounding is arithmetic.
    let rounding = #expect(throws: CheckpointError.self) {
      try CheckpointView(of: source, selecting: ["e*"], elementType: .float16)
    }
    #expect(rounding?.description.contains("f8_e4m3") == true)
  }
}
