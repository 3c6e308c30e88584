// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Synchronization
import Testing

struct CheckpointViewTests {
  private let source = Checkpoint(
    metadata: ["architecture": "mlp", "note": "kept"],
    tensors: [
      NamedTensor("fc.0.weight", StoredTensor(Tensor([1, 2, 3]))),
      NamedTensor("fc.0.bias", StoredTensor(Tensor([0.1]))),
      NamedTensor("fc.10.weight", StoredTensor(Tensor([4]))),
    ])

  @Test(arguments: [
    ("*", 3), ("fc.0.*", 2), ("fc.?.weight", 1), ("*weight", 2), ("fc.0.bias", 1), ("*0*s", 1),
    ("f*.*.*t", 2), ("***", 3),
  ])
  func `patterns keep what they fit`(pattern: String, count: Int) throws {
    #expect(try CheckpointView(of: source, selecting: [pattern]).entries.count == count)
  }

  @Test(arguments: ["fc", "", "fc.0", "?", "fc.0.weight?"])
  func `patterns that fit nothing are an error`(pattern: String) {
    #expect(throws: CheckpointError.selection("no tensor's name matches ‘\(pattern)’")) {
      _ = try CheckpointView(of: source, selecting: [pattern])
    }
  }

  @Test
  func `names change whole or up to a dot`() throws {
    let view = try CheckpointView(of: source, renaming: [("fc.0", "first"), ("fc.10.weight", "w")])
    #expect(view.entries.map(\.name) == ["first.weight", "first.bias", "w"])
    #expect(try view.tensor(named: "first.bias") == source.tensor(named: "fc.0.bias"))
    #expect(view.metadata == ["note": "kept"])
    #expect(throws: CheckpointError.self) {
      _ = try CheckpointView(of: source, renaming: [("fc.1", "first")])
    }
    #expect(throws: CheckpointError.selection("two tensors would be called ‘fc.10.weight’")) {
      _ = try CheckpointView(of: source, renaming: [("fc.0.weight", "fc.10.weight")])
    }
  }

  @Test
  func `a part of a path is no path`() throws {
    var path = source
    path.kind = .path
    path.metadata["motions"] = .object([:])
    path.metadata["method"] = "arc"
    #expect(try CheckpointView(of: path).kind == .path)
    let part = try CheckpointView(of: path, selecting: ["fc.0.*"])
    #expect(part.kind == .checkpoint && part.metadata == ["note": "kept"])
  }

  /// Searching the names one by one for each of thirty thousand took most of a minute.
  @Test(.timeLimit(.minutes(1)))
  func `tensors are found by an index`() throws {
    let one = StoredTensor(Tensor([1]))
    var many = Checkpoint(
      tensors: (0..<30_000).map { NamedTensor("model.layers.\($0).weight", one) })
    let view = try CheckpointView(of: many, elementType: .bfloat16)
    for entry in view.entries { _ = try view.tensor(named: entry.name) }
    many.tensors[7].name = "seven"
    #expect(try many.tensor(named: "seven") == one)
    #expect(throws: CheckpointError.self) { try many.tensor(named: "model.layers.7.weight") }
  }

  @Test
  func `doubles are rounded once, and what becomes infinite is told`() throws {
    let values = [1 + 0x1p-8 + 0x1p-40, 65519.99999999, 1e30, -1e300, 0x1p-25 + 0x1p-60, 1]
    let wide = try StoredTensor(
      elementType: .float64, shape: [6], bytes: values.withUnsafeBytes { Array($0) })
    let short = wide.converted(to: .bfloat16).floats.elements
    #expect(short[0] == 1.0078125 && short[1] == 65536 && short[3] == -.infinity)
    #expect(
      wide.converted(to: .float16).floats.elements
        == [1 + 0x1p-8, 65504, .infinity, -.infinity, 0x1p-24, 1])
    #expect(wide.converted(to: .float16).infinities == 2 && wide.infinities == 0)
    let told = OverflowNotes()
    let view = try CheckpointView(
      of: Checkpoint(tensors: [NamedTensor("w", wide)]), elementType: .float16,
      overflow: told.add)
    _ = try view.tensor(named: "w")
    #expect(told.notes == ["w 2"])
  }

  @Test
  func `types change as the kernels round`() throws {
    let view = try CheckpointView(of: source, elementType: .bfloat16)
    #expect(view.metadata == source.metadata)
    #expect(view.entries.allSatisfy { $0.elementType == .bfloat16 })
    let bias = try view.tensor(named: "fc.0.bias")
    #expect(bias.bytes == [0xCD, 0x3D])
    let wide = try source.tensor(named: "fc.0.bias").converted(to: .float64)
    #expect(wide.floats.elements == [0.1] && wide.bytes.count == 8)
    #expect(wide.converted(to: .float32) == (try source.tensor(named: "fc.0.bias")))
    let counts = try StoredTensor(elementType: .int64, shape: [1], bytes: [7, 0, 0, 0, 0, 0, 0, 0])
    #expect(counts.converted(to: .float16) == counts)
  }
}

private final class OverflowNotes: Sendable {
  private let kept = Mutex<[String]>([])
  var notes: [String] { kept.withLock { $0 } }
  func add(_ tensor: String, _ elements: Int) {
    kept.withLock { $0.append("\(tensor) \(elements)") }
  }
}

struct CheckpointDifferenceTests {
  @Test
  func `each kind of difference is told`() throws {
    let a = Checkpoint(tensors: [
      NamedTensor("equal", StoredTensor(Tensor([1, .nan]))),
      NamedTensor("values", StoredTensor(Tensor([3, 4, 0]))),
      NamedTensor("shape", StoredTensor(Tensor([1]))),
      NamedTensor("type", StoredTensor(Tensor([0.5]))),
      NamedTensor("gone", StoredTensor(Tensor([1]))),
    ])
    let b = Checkpoint(tensors: [
      NamedTensor("new", StoredTensor(Tensor([1]))),
      NamedTensor("type", StoredTensor(Tensor([0.5])).converted(to: .float16)),
      NamedTensor("shape", StoredTensor(Tensor([1, 2]))),
      NamedTensor("values", StoredTensor(Tensor([3, 4.5, 0]))),
      NamedTensor("equal", StoredTensor(Tensor([1, .nan]))),
    ])
    let found = try CheckpointDifference.all(a, b)
    #expect(found.map(\.name) == ["equal", "values", "shape", "type", "gone", "new"])
    #expect(
      found.map(\.verdict) == [
        .equal, .values, .shape([1], [2]), .elementType(.float32, .float16), .onlyFirst,
        .onlySecond,
      ])
    #expect(found[0].values?.differing == 0)
    #expect(found[1].values?.differing == 1 && found[1].values?.largest == 0.5)
    #expect(abs((found[1].values?.relative ?? 0) - 0.1) < 1e-12)
    #expect(found[3].values?.differing == 0)
  }
}

/// A tensor of words of 64 bits.
private func stored<Word>(_ words: [Word], _ type: ElementType) throws -> StoredTensor {
  try StoredTensor(
    elementType: type, shape: Shape(checking: [words.count]),
    bytes: words.withUnsafeBytes { Array($0) })
}

struct TensorDistanceTests {
  @Test
  func `doubles and integers are compared exactly`() throws {
    let near = TensorDistance(
      try stored([1, 0.1], .float64), try stored([1, (0.1).nextUp], .float64))
    #expect(near.differing == 1 && near.largest == (0.1).nextUp - 0.1)
    let big = TensorDistance(try stored([1e300], .float64), try stored([3e300], .float64))
    #expect(big.differing == 1 && big.largest == 2e300 && abs(big.relative - 2) < 1e-12)
    let tiny = TensorDistance(try stored([0x1p-1050], .float64), try stored([0x3p-1050], .float64))
    #expect(abs(tiny.relative - 2) < 1e-9)
    let integers = TensorDistance(
      try stored([1 << 53, .min, 5] as [Int64], .int64),
      try stored([(1 << 53) + 1, .min, 5] as [Int64], .int64))
    #expect(integers.differing == 1 && integers.largest == 1)
    let ends = TensorDistance(
      try stored([Int64.min], .int64), try stored([Int64.max], .int64))
    #expect(ends.largest == 0x1p64)
    // 2⁵³ + 1 is no double; rounded it would be 2⁵³.
    let mixed = TensorDistance(
      try stored([(1 << 53) + 1] as [Int64], .int64), try stored([0x1p53], .float64))
    #expect(mixed.differing == 1)
  }

  @Test
  func `what is not finite is infinitely far from what it is not`() throws {
    func distance(_ a: Float, _ b: Float) -> TensorDistance {
      TensorDistance(StoredTensor(Tensor([a, 1])), StoredTensor(Tensor([b, 1])))
    }
    for (a, b) in [(Float.infinity, Float(1)), (1, .nan), (.infinity, -.infinity), (.nan, 2)] {
      let found = distance(a, b)
      #expect(found.differing == 1 && found.largest == .infinity && found.relative == .infinity)
    }
    #expect(distance(.infinity, .infinity).largest == 0)
    // Other bits of one value: a difference without a distance.
    let zeros = distance(0, -0.0)
    #expect(zeros.differing == 1 && zeros.largest == 0 && zeros.relative == 0)
    let payloads = distance(.nan, Float(nan: 5, signaling: false))
    #expect(payloads.differing == 1 && payloads.largest == 0)
    #expect(distance(0, 0).relative == 0 && distance(0, 0).differing == 0)
  }
}

struct CheckpointBindingTests {
  private let network: Network

  init() throws {
    network = try Network(
      inputShape: [4],
      layers: [
        .dense(outputs: 3, bias: true), .relu, .dense(outputs: 3, bias: true), .relu,
        .dense(outputs: 2, bias: true),
      ])
  }

  private func entry(_ name: String, _ shape: Shape, _ type: ElementType = .float32) -> TensorEntry
  {
    TensorEntry(name: name, elementType: type, shape: shape, storedBytes: 0)
  }

  @Test
  func `modules bind in natural order, whatever the order of the file`() throws {
    let entries = [
      entry("net.10.bias", [2]), entry("net.10.weight", [2, 3]), entry("net.0.weight", [3, 4]),
      entry("net.0.bias", [3]), entry("net.2.bias", [3]), entry("net.2.weight", [3, 3]),
    ]
    let binding = try CheckpointBinding(of: entries, to: network)
    #expect(binding.rule == .order)
    #expect(
      binding.names == [
        "net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias", "net.10.weight", "net.10.bias",
      ])
  }

  /// As safetensors writes torchvision's names: in alphabetical order, and the classifier first.
  @Test
  func `parts of a model may stand in another order than their names`() throws {
    let entries = [
      entry("classifier.0.bias", [2]), entry("classifier.0.weight", [2, 3]),
      entry("features.0.bias", [3]), entry("features.0.weight", [3, 4]),
      entry("features.10.bias", [3]), entry("features.10.weight", [3, 3]),
    ]
    var deep = entries
    for index in deep.indices.suffix(2) {
      deep[index] = entry(
        deep[index].name.replacing("10", with: "2"), deep[index].shape)
    }
    for given in [entries, deep, deep.reversed()] {
      let binding = try CheckpointBinding(of: given, to: network)
      #expect(binding.rule == .order)
      #expect(binding.names.map { $0.prefix(9) }.joined().hasPrefix("features.features.features."))
      #expect(binding.names[4] == "classifier.0.weight")
      #expect(binding.names[0] == "features.0.weight")
    }
    // Three parts of one shape: any order would do.
    let alike = try Network(
      inputShape: [3],
      layers: [
        .dense(outputs: 3, bias: false), .dense(outputs: 3, bias: true),
        .dense(outputs: 3, bias: true),
      ])
    let error = #expect(throws: CheckpointError.self) {
      _ = try CheckpointBinding(
        of: [
          entry("a.weight", [3, 3]), entry("a.bias", [3]), entry("b.weight", [3, 3]),
          entry("b.bias", [3]), entry("c.weight", [3, 3]),
        ], to: alike)
    }
    #expect(error?.description.contains("several orders") == true)
  }

  @Test
  func `a file sorted by name tells no order of layers that are alike`() throws {
    let deep = try Network(
      inputShape: [3],
      layers: [.dense(outputs: 3, bias: true), .relu, .dense(outputs: 3, bias: true)])
    func entries(_ modules: [String]) -> [TensorEntry] {
      modules.flatMap { [entry("\($0).weight", [3, 3]), entry("\($0).bias", [3])] }
    }
    func sorted(_ modules: [String]) -> [TensorEntry] {
      entries(modules).sorted { $0.name < $1.name }
    }
    let error = #expect(throws: CheckpointError.self) {
      _ = try CheckpointBinding(of: sorted(["input", "hidden"]), to: deep)
    }
    #expect(error?.description.contains("‘hidden’ and ‘input’ have the same shapes") == true)
    // The order in which a module registered them, whatever the alphabet says; that is sorted by
    // name then only if biases come before weights.
    for modules in [["encode", "hidden"], ["input", "hidden"]] {
      let registered = try CheckpointBinding(of: entries(modules), to: deep)
      #expect(registered.names[0] == "\(modules[0]).weight")
      let told = registered.modulesToldByTheFile(of: deep)
      #expect(told?.first == modules[0] && told?.second == modules[1])
    }
    let numbered = try CheckpointBinding(of: entries(["net.0", "net.2"]), to: deep)
    #expect(numbered.modulesToldByTheFile(of: deep) == nil)
    for numbered in [["fc1", "fc2"], ["net.0", "net.10"], ["block1.dense", "block2.dense"]] {
      let binding = try CheckpointBinding(of: sorted(numbered), to: deep)
      #expect(binding.names[0] == "\(numbered[0]).weight")
    }
    // Other shapes leave no doubt.
    let names = try CheckpointBinding(
      of: [
        entry("hidden.bias", [3]), entry("hidden.weight", [3, 4]), entry("middle.bias", [3]),
        entry("middle.weight", [3, 3]), entry("out.bias", [2]), entry("out.weight", [2, 3]),
      ], to: network
    ).names
    #expect(names[2] == "middle.weight")
  }

  @Test
  func `what an optimiser keeps of the parameters is none`() throws {
    var entries = [
      entry("model.0.weight", [3, 4]), entry("model.0.bias", [3]), entry("model.2.weight", [3, 3]),
      entry("model.2.bias", [3]), entry("model.4.weight", [2, 3]), entry("model.4.bias", [2]),
    ]
    for (index, model) in entries.enumerated() {
      entries.append(entry("opt.state.\(index).step", []))
      entries.append(entry("opt.state.\(index).exp_avg", model.shape))
    }
    #expect(try CheckpointBinding(of: entries, to: network).names[4] == "model.4.weight")
    // A module that is called so is one.
    entries += [entry("state.0.weight", [2, 2]), entry("state.0.bias", [2])]
    #expect(throws: CheckpointError.self) { _ = try CheckpointBinding(of: entries, to: network) }
  }

  @Test
  func `integers are no weights, whatever they are called`() throws {
    var entries = network.parameters.map { entry($0.name, $0.shape) }
    entries[0] = entry(entries[0].name, entries[0].shape, .int64)
    let error = #expect(throws: CheckpointError.self) {
      _ = try CheckpointBinding(of: entries, to: network)
    }
    #expect(error?.description.contains("‘dense1.weight’ holds integers (i64)") == true)
  }

  @Test
  func `a bound view has the parameters' names and the tensors' types`() throws {
    let names = network.parameters.map { $0.name.replacing("dense", with: "fc.") }
    let source = Checkpoint(
      tensors: zip(names, network.parameters).map {
        NamedTensor($0, StoredTensor(Tensor(zeros: $1.shape)).converted(to: .float64))
      })
    let binding = try CheckpointBinding(of: source.entries, to: network)
    let view = try CheckpointView(
      of: source, binding: binding, to: network, metadata: ["note": "own"])
    #expect(view.entries.map(\.name) == network.parameters.map(\.name))
    #expect(view.entries.allSatisfy { $0.elementType == .float64 })
    #expect(try view.tensor(named: "dense1.bias") == source.tensor(named: "fc.1.bias"))
    #expect(view.metadata == ["note": "own"])
  }

  @Test
  func `own names win, and counters are passed over`() throws {
    var entries = network.parameters.map { entry($0.name, $0.shape) }.reversed() as [TensorEntry]
    entries.append(entry("steps", [], .int64))
    let binding = try CheckpointBinding(of: entries, to: network)
    #expect(binding.rule == .name)
    #expect(binding.names == network.parameters.map(\.name))
  }

  @Test
  func `what is ambiguous or does not fit is refused with both lists`() throws {
    let good = [
      entry("c.weight", [3, 4]), entry("c.bias", [3]), entry("b.weight", [3, 3]),
      entry("b.bias", [3]), entry("a.weight", [2, 3]), entry("a.bias", [2]),
    ]
    #expect(try CheckpointBinding(of: good, to: network).names[0] == "c.weight")
    for wrong in [Array(good.dropLast()), good + [entry("d.weight", [1])]] {
      let error = #expect(throws: CheckpointError.self) {
        _ = try CheckpointBinding(of: wrong, to: network)
      }
      #expect(error?.description.contains("dense1.weight [3, 4]") == true)
      #expect(error?.description.contains("c.weight [3, 4]") == true)
    }
    // Two hidden layers of one shape: the file's order tells, unless it is the alphabet's.
    let twins = try Network(
      inputShape: [3],
      layers: [.dense(outputs: 3, bias: false), .relu, .dense(outputs: 3, bias: false)])
    let file = [entry("b.weight", [3, 3]), entry("a.weight", [3, 3])]
    #expect(try CheckpointBinding(of: file, to: twins).names == ["b.weight", "a.weight"])
    #expect(throws: CheckpointError.self) {
      _ = try CheckpointBinding(of: file.reversed(), to: twins)
    }
    // Numbers tell too: a file of another order contradicts them.
    #expect(throws: CheckpointError.self) {
      _ = try CheckpointBinding(
        of: [entry("net.2.weight", [3, 3]), entry("net.0.weight", [3, 3])], to: twins)
    }
  }
}

struct TensorStatisticsTests {
  @Test
  func `statistics are those of the finite elements`() {
    let statistics = TensorStatistics(of: [1, 2, 3, .nan, .infinity, 0, -0.0], bins: 3)
    #expect(statistics.count == 7 && statistics.nan == 1 && statistics.infinite == 1)
    #expect(statistics.zeros == 2 && statistics.minimum == 0 && statistics.maximum == 3)
    #expect(abs(statistics.mean - 1.2) < 1e-12)
    #expect(abs(statistics.deviation * statistics.deviation - (14.0 / 5 - 1.44)) < 1e-12)
    #expect(statistics.histogram == [2, 1, 2])
  }

  @Test
  func `odd tensors have statistics too`() {
    let empty = TensorStatistics(of: [])
    #expect(empty.count == 0 && empty.minimum.isNaN && empty.histogram.allSatisfy { $0 == 0 })
    let constant = TensorStatistics(of: [5, 5], bins: 4)
    #expect(constant.histogram == [2] && constant.deviation == 0)
    let wide = TensorStatistics(of: [-.greatestFiniteMagnitude, .greatestFiniteMagnitude], bins: 2)
    #expect(wide.histogram == [1, 1])
    #expect(TensorStatistics(of: [.nan, .infinity]).histogram.isEmpty)
  }

  @Test
  func `doubles and integers are not rounded first`() throws {
    let doubles = TensorStatistics(of: try stored([1e300, -1e300, 0.1], .float64))
    #expect(doubles.infinite == 0 && doubles.maximum == 1e300 && doubles.minimum == -1e300)
    #expect(
      doubles.deviation.isFinite && abs(doubles.deviation / 1e300 - (2.0 / 3).squareRoot()) < 1e-9)
    #expect(doubles.integerRange == nil)
    let largest: Int64 = (1 << 53) + 1
    let integers = TensorStatistics(of: try stored([largest, 16_777_217], .int64))
    #expect(integers.integerRange?.lowerBound == 16_777_217)
    #expect(integers.integerRange?.upperBound == largest)
    #expect(integers.histogram.reduce(0, +) == 2)
  }
}
