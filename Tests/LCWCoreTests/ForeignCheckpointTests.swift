// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import Testing

/// Blocks of tensors, types that are only kept, and JSON by laxer rules.
struct ForeignCheckpointTests {
  /// A source that gives ranges of elements, and counts the most it was asked for.
  private struct Ranges: CheckpointSource {
    let base: Checkpoint
    var kind: CheckpointKind { base.kind }
    var metadata: [String: JSONValue] { base.metadata }
    var entries: [TensorEntry] { base.entries }

    func tensor(named name: String) throws -> StoredTensor {
      let tensor = try base.tensor(named: name)
      // A large one must not be wanted whole.
      guard tensor.bytes.count <= 4 << 20 else {
        throw CheckpointError.missingTensor(name, nearest: nil)
      }
      return tensor
    }

    func elementBytes(of name: String, in elements: Range<Int>) throws -> [UInt8]? {
      let tensor = try base.tensor(named: name)
      let width = tensor.elementType.width
      return Array(tensor.bytes[elements.lowerBound * width..<elements.upperBound * width])
    }
  }

  private func tensor(_ type: ElementType, _ bytes: [UInt8]) throws -> StoredTensor {
    try StoredTensor(elementType: type, shape: [bytes.count / type.width], bytes: bytes)
  }

  @Test
  func `blocks give the same as whole tensors`() throws {
    var random = RandomStream(seed: 5)
    let count = 1_200_000
    let (a, b) = (random.normal([count]), random.normal([count]))
    let first = Checkpoint(tensors: [NamedTensor("x", StoredTensor(a))])
    let second = Checkpoint(tensors: [NamedTensor("x", StoredTensor(b))])
    let whole = try CheckpointDifference.all(first, second)
    #expect(try CheckpointDifference.all(Ranges(base: first), Ranges(base: second)) == whole)
    #expect(whole[0].values?.differing ?? 0 > count - 100)
    let blocks = try TensorBlocks(of: first.entries[0], in: Ranges(base: first))
    let statistics = try TensorStatistics(ofElements: count, of: .float32) {
      range throws(any Error) in try blocks.bytes(ofElements: range)
    }
    #expect(statistics == TensorStatistics(of: StoredTensor(a)))
    #expect(statistics.count == count && abs(statistics.deviation - 1) < 0.01)
  }

  @Test
  func `distances of the types that are only kept`() throws {
    func distance(_ type: ElementType, _ a: [UInt8], _ b: [UInt8]) throws -> TensorDistance {
      TensorDistance(try tensor(type, a), try tensor(type, b))
    }
    let zeros = [UInt8](repeating: 0, count: 8)
    let ones = [UInt8](repeating: 255, count: 8)
    #expect(try distance(.uint16, ones, zeros).largest == 65535)
    #expect(try distance(.uint32, ones, zeros).largest == 4_294_967_295)
    #expect(try distance(.uint64, ones, zeros).largest == 0x1p64)
    #expect(try distance(.uint64, ones, ones).differing == 0)
    // 2⁶⁴ − 1 and −1 have the same bits and not the same value.
    let mixed = TensorDistance(try tensor(.uint64, ones), try tensor(.int64, ones))
    #expect(mixed.differing == 1 && mixed.largest == 0x1p64)
    #expect(try distance(.float8E4M3, [0x38, 0x7F], [0x40, 0xFF]).largest == 1)
    #expect(try distance(.float8E4M3, [0x38, 0x7F], [0x40, 0xFF]).differing == 2)
    let two = StoredTensor(try Tensor([3, 4], shape: [2])).bytes
    let complex = try distance(.complex64, two, zeros)
    #expect(complex.differing == 1 && complex.largest == 4 && complex.relative == 1)
    let differences = try CheckpointDifference.all(
      Checkpoint(tensors: [NamedTensor("x", try tensor(.complex64, two))]),
      Checkpoint(tensors: [NamedTensor("x", try tensor(.float64, two))]))
    #expect(differences[0].verdict == .elementType(.complex64, .float64))
    #expect(differences[0].values == nil)
  }

  @Test
  func `weights of types that are only kept are refused by name`() throws {
    let network = try Network(inputShape: [2], layers: [.dense(outputs: 1, bias: false)])
    for type in ElementType.allCases where type.isPassedThrough {
      let bytes = [UInt8](repeating: 0, count: 2 * type.width)
      let source = Checkpoint(tensors: [
        NamedTensor(
          "fc.weight", try StoredTensor(elementType: type, shape: [1, 2], bytes: bytes))
      ])
      let error = #expect(throws: CheckpointError.self) {
        _ = try CheckpointBinding(of: source.entries, to: network)
      }
      #expect(error?.description.contains("‘fc.weight’") == true)
      #expect(error?.description.contains(type.rawValue) == true)
      #expect(throws: CheckpointError.passedThrough(tensor: "fc.weight", type: type)) {
        try source.floats(named: "fc.weight")
      }
    }
  }

  @Test
  func `names that are equivalent in Unicode bind to two layers`() throws {
    let network = try Network(
      inputShape: [2],
      layers: [.dense(outputs: 3, bias: false), .dense(outputs: 1, bias: false)])
    func entry(_ name: String, _ shape: Shape) -> TensorEntry {
      TensorEntry(name: name, elementType: .float32, shape: shape, storedBytes: 0)
    }
    let names = ["e\u{301}.weight", "\u{E9}.weight"]
    let binding = try CheckpointBinding(
      of: [entry(names[0], [3, 2]), entry(names[1], [1, 3])], to: network)
    #expect(binding.names.map { Array($0.utf8) } == names.map { Array($0.utf8) })
    #expect(
      NamedTensor(names[0], StoredTensor(Tensor([1])))
        != NamedTensor(names[1], StoredTensor(Tensor([1]))))
  }

  @Test
  func `members of other programs' JSON`() throws {
    func members(_ text: String) throws -> [JSONMember] {
      try JSONValue.members(parsing: Array(text.utf8))
    }
    let found = try members(" {\"\u{E9}\": 1, \"e\u{301}\": [null], \"n\": 1e3} ")
    #expect(found.map { Array($0.key.utf8).count } == [2, 3, 1])
    #expect(found.map(\.value) == [1, .array([.object([:])]), .number(1000)])
    #expect(found.map(\.range) == [8..<9, 18..<24, 31..<34])
    #expect(try members("{}").isEmpty)
    #expect(try members("{\"a\":18446744073709551615}")[0].value == .number(0x1p64))
    for wrong in [
      "", "[]", "{\"a\":1,\"a\":2}", "{\"a\":1}x", "{\"a\":1,}", "{\"a\" 1}", "{a:1}",
      "{\"a\":nul}",
      "{\"a\":{\"b\":1,\"b\":2}}", "{\"a\":1",
    ] {
      #expect(throws: JSONError.self, "\(wrong)") { try members(wrong) }
    }
    // The strict rules stay as they are.
    for wrong in ["{\"a\":null}", "{\"\u{E9}\":1,\"e\u{301}\":2}", "18446744073709551615"] {
      #expect(throws: JSONError.self, "\(wrong)") { try JSONValue(parsing: Array(wrong.utf8)) }
    }
  }
}
