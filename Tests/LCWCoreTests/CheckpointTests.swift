// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
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
    #expect(throws: CheckpointError.selection("no tensor's name fits ‘\(pattern)’")) {
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
    // Two hidden layers of one shape whose order the names and the file tell differently.
    let twins = try Network(
      inputShape: [3],
      layers: [.dense(outputs: 3, bias: false), .relu, .dense(outputs: 3, bias: false)])
    #expect(throws: CheckpointError.self) {
      _ = try CheckpointBinding(
        of: [entry("b.weight", [3, 3]), entry("a.weight", [3, 3])], to: twins)
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
    #expect(constant.histogram == [2, 0, 0, 0] && constant.deviation == 0)
    let wide = TensorStatistics(of: [-.greatestFiniteMagnitude, .greatestFiniteMagnitude], bins: 2)
    #expect(wide.histogram == [1, 1])
  }
}
