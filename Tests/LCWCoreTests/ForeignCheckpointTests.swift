// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
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

  // MARK: - Names without dots

  private func entries(_ tensors: [(String, Shape)]) -> [TensorEntry] {
    tensors.map { name, shape in
      TensorEntry(name: name, elementType: .float32, shape: shape, storedBytes: 0)
    }
  }

  private func perceptron(_ hidden: [Int], inputs: Int = 6, classes: Int = 3) throws -> Network {
    try Network(
      inputShape: [inputs],
      layers: hidden.flatMap { [Layer.dense(outputs: $0, bias: true), .relu] } + [
        .dense(outputs: classes, bias: true)
      ])
  }

  @Test
  func `numbers at the end of names tell layers of equal shapes`() throws {
    let network = try perceptron([4, 4, 4])
    let given: [(String, Shape)] = [
      ("W1", [4, 6]), ("W2", [4, 4]), ("W3", [4, 4]), ("W4", [3, 4]),
      ("b1", [4]), ("b2", [4]), ("b3", [4]), ("b4", [3]),
    ]
    let names = ["W1", "b1", "W2", "b2", "W3", "b3", "W4", "b4"]
    let binding = try CheckpointBinding(of: entries(given), to: network)
    #expect(binding.rule == .order && binding.names == names)
    #expect(binding.modulesToldByTheFile(of: network) == nil)
    #expect(binding.layersToldByOrder(of: network) == [["dense2", "dense3"]])
    // Inputs by outputs fit only once they are turned.
    let turned = entries(given).map(\.transposed)
    #expect(throws: CheckpointError.self) { try CheckpointBinding(of: turned, to: network) }
    #expect(
      try CheckpointBinding(of: turned.map(\.transposed), to: network, areTransposed: true).names
        == names)
    // In a file that is sorted by name, W10 comes before W2 and means no order.
    let sorted: [(String, Shape)] = [
      ("W1", [4, 6]), ("W10", [4, 4]), ("W11", [3, 4]), ("W2", [4, 4]),
      ("b1", [4]), ("b10", [4]), ("b11", [3]), ("b2", [4]),
    ]
    #expect(
      try CheckpointBinding(of: entries(sorted), to: network).names
        == ["W1", "b1", "W2", "b2", "W10", "b10", "W11", "b11"])
  }

  @Test
  func `a list's numbers are the places of the parameters`() throws {
    let network = try perceptron([4, 4, 4, 4, 4])
    let shapes = network.parameters.map(\.shape)
    let given = shapes.enumerated().map { ("arr_\($0.offset)", $0.element) }
    #expect(given.count == 12)
    let names = given.map(\.0)
    #expect(try CheckpointBinding(of: entries(given), to: network).names == names)
    // As a format sorts them: arr_10 and arr_11 before arr_2.
    let sorted = given.sorted { $0.0 < $1.0 }
    #expect(sorted[2].0 == "arr_10")
    let binding = try CheckpointBinding(of: entries(sorted), to: network)
    #expect(binding.rule == .order && binding.names == names)
    // A list with a gap, and one that starts elsewhere, is a part of another.
    for numbers in [[0, 1, 2, 3, 4, 6], [2, 3, 4, 5, 6, 7]] {
      let small = try perceptron([4, 4])
      let part = zip(numbers, small.parameters).map { ("arr_\($0)", $1.shape) }
      #expect(throws: CheckpointError.self) {
        try CheckpointBinding(of: entries(part), to: small)
      }
    }
  }

  @Test
  func `numbers that do not tell the layers bind nothing`() throws {
    let network = try perceptron([4, 4, 4])
    let wrong: [[(String, Shape)]] = [
      // The file, which is not sorted, has another order.
      [
        ("W1", [4, 6]), ("b1", [4]), ("W3", [4, 4]), ("b3", [4]), ("W2", [4, 4]), ("b2", [4]),
        ("W4", [3, 4]), ("b4", [3]),
      ],
      // The weights are called by two stems.
      [
        ("W1", [4, 6]), ("b1", [4]), ("W2", [4, 4]), ("b2", [4]), ("V3", [4, 4]), ("b3", [4]),
        ("W4", [3, 4]), ("b4", [3]),
      ],
      // Two of one number.
      [
        ("W1", [4, 6]), ("b1", [4]), ("W2", [4, 4]), ("b2", [4]), ("W02", [4, 4]), ("b02", [4]),
        ("W4", [3, 4]), ("b4", [3]),
      ],
    ]
    for tensors in wrong {
      let error = #expect(throws: CheckpointError.self) {
        try CheckpointBinding(of: entries(tensors), to: network)
      }
      #expect(error?.description.contains("do not tell them apart") == true)
    }
    // Square matrices fit both ways round: only who calls can tell.
    let square = try perceptron([4, 4], inputs: 4, classes: 4)
    let given = (1...3).flatMap { [("W\($0)", [4, 4] as Shape), ("b\($0)", [4] as Shape)] }
    #expect(throws: CheckpointError.self) {
      try CheckpointBinding(of: entries(given), to: square)
    }
    #expect(
      try CheckpointBinding(of: entries(given), to: square, areTransposed: true).names
        == given.map(\.0))
  }

  @Test
  func `a single number beside weights is none of them`() throws {
    let network = try perceptron([4])
    let weights: [(String, Shape)] = [
      ("fc1.weight", [4, 6]), ("fc1.bias", [4]), ("out.weight", [3, 4]), ("out.bias", [3]),
    ]
    let binding = try CheckpointBinding(
      of: entries([("best_acc1", [] as Shape)] + weights), to: network)
    #expect(binding.names == weights.map(\.0))
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointBinding(of: entries([("loss", [] as Shape)] + weights.dropLast()), to: network)
    }
    #expect(
      error?.description.contains("4 parameters and 4 tensors, 1 of them single numbers") == true)
  }

  @Test
  func `advice on types that are only kept fits the type`() throws {
    for (type, advice) in [
      (ElementType.complex64, "tensor.real"), (.float8E4M3, "tensor.float()"),
      (.float8E5M2, "tensor.float()"), (.uint16, "save it as f32"),
    ] {
      let error = CheckpointError.passedThrough(tensor: "w", type: type).description
      #expect(error.contains(advice))
      #expect(error.contains("as f32") == (type != .complex64))
    }
  }
}
