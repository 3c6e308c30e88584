// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import ONNXFormat
import SafetensorsFormat
import Testing

/// The networks that PyTorch exported, in each of its ways.
private let exported = [
  "dense", "residual", "residual-padded", "mobile", "norms", "join",
].flatMap { name in ["script", "kept", "dynamo", "plain"].map { (name, $0) } }

@Suite("Networks from PyTorch by ONNX")
struct ONNXReadingTests {
  @Test("computes what PyTorch does", arguments: exported)
  func outputs(name: String, way: String) throws {
    let source = try format().open(fixture("\(name)-\(way).onnx"))
    let reference = try Safetensors().open(fixture("\(name).safetensors"))
    let found = try output(of: source, for: reference.floats(named: "input"))
    #expect(difference(found, try reference.floats(named: "output")) < 1e-5)
  }

  @Test("keeps what it computes when it is written and read again", arguments: exported)
  func roundTrip(name: String, way: String) throws {
    let source = try format().open(fixture("\(name)-\(way).onnx"))
    let folder = try TemporaryFolder()
    let file = folder.file("again.onnx")
    try format().write(source, to: file)
    let again = try format().open(file)
    let samples = try Safetensors().open(fixture("\(name).safetensors")).floats(named: "input")
    // What is written out of other operators, such as a group normalisation, is rounded otherwise: as far
    // as PyTorch's own results are away.
    #expect(
      difference(try output(of: again, for: samples), try output(of: source, for: samples)) < 1e-5)
  }

  @Test("derives groups of units that may be permuted", arguments: exported)
  func permutationLaw(name: String, way: String) throws {
    let source = try format().open(fixture("\(name)-\(way).onnx"))
    let samples = try Safetensors().open(fixture("\(name).safetensors")).floats(named: "input")
    let weights = try source.trainedNetwork(from: registry).weights
    let groups = UnitGroups(of: weights.network).all.filter { $0.isFree && $0.count > 1 }
    #expect(!groups.isEmpty)
    var permuted = weights
    for group in groups {
      permuted = permuted.permuting(group, by: Array((1..<group.count)) + [0])
    }
    #expect(!permuted.isIdentical(to: weights))
    let runner = try Runner(weights.network)
    #expect(
      difference(
        runner.output(of: samples, weights: permuted), runner.output(of: samples, weights: weights))
        < 1e-5)
  }

  @Test("names layers as the model does, and keeps batch normalisations")
  func names() throws {
    let source = try format().open(fixture("residual-kept.onnx"))
    let names = Set(source.entries.map(\.name))
    #expect(names.isSuperset(of: ["layer1.conv1.weight", "layer2.downsample.0.weight", "fc.bias"]))
    #expect(names.contains("layer1.bn1.mean"))
    let architecture = try source.architecture()
    #expect(architecture.name == "sequential")
    #expect(source.metadata["input"] == .array([.integer(3), .integer(16), .integer(16)]))
    #expect(source.metadata["classes"] == .integer(10))
  }

  @Test("tells of a last softmax that is left out")
  func lastSoftmax() throws {
    let source = try format().open(fixture("dense-script.onnx"))
    #expect(source.notes.contains { $0.contains("Softmax") && $0.contains("logits") })
    #expect(try source.trainedNetwork(from: registry).weights.network.outputShape == [5])
  }

  @Test("is told by its first bytes")
  func recognised() throws {
    let start = [UInt8](try Data(contentsOf: fixture("dense-script.onnx")).prefix(64))
    #expect(ONNX.recognises(start))
    #expect(!ONNX.recognises(Array("no model\n".utf8)))
    #expect(!ONNX.recognises([0x08]))
  }
}

@Suite("Broken and hostile files of ONNX")
struct HostileONNXTests {
  /// What opening a file's bytes and reading its tensors throws; nothing if it can be read.
  private func failure(_ content: [UInt8], _ folder: TemporaryFolder) throws -> (any Error)? {
    let file = try folder.file("model.onnx", content)
    do {
      let source = try format().open(file)
      for entry in source.entries { _ = try source.tensor(named: entry.name) }
      return nil
    } catch { return error }
  }

  @Test("a file cut anywhere is an error that names it")
  func cut() throws {
    let folder = try TemporaryFolder()
    let whole = [UInt8](try Data(contentsOf: fixture("residual-kept.onnx")))
    for count in stride(from: 0, to: whole.count - 1, by: 37) {
      let error = try failure(Array(whole.prefix(count)), folder)
      let described = try #require(error as? any DescribedError, "cut to \(count) bytes")
      #expect(described.description.contains("model.onnx"))
      #expect(described.category == .data)
    }
  }

  @Test("a changed byte crashes nothing")
  func changed() throws {
    let folder = try TemporaryFolder()
    let whole = [UInt8](try Data(contentsOf: fixture("dense-script.onnx")))
    for place in whole.indices {
      var content = whole
      content[place] = content[place] &+ UInt8(place % 254 + 1)
      if let error = try failure(content, folder) { #expect(error is any DescribedError) }
    }
  }

  @Test("lengths that lie are found before memory is taken")
  func lengths() throws {
    let folder = try TemporaryFolder()
    var model = Message()
    model.integer(1, 8)
    model.data(7, [], count: 1 << 40)
    #expect(throws: ONNXError.self) { try format().open(folder.file("a.onnx", model.bytes)) }
    for sizes in [[1 << 40], [1 << 40, 1 << 40], [-1], [3]] {
      let content = Message.model { graph in
        graph.tensor("w", sizes, raw: bytes([1, 2]))
        graph.node("Relu", ["x"], "y")
      }
      let error = try #require(try failure(content, folder) as? ONNXError)
      #expect(error.description.contains("‘w’"))
    }
  }

  @Test("a shape that a constant asks for takes no memory")
  func fills() throws {
    let folder = try TemporaryFolder()
    let content = Message.model { graph in
      graph.tensor("s", [2], raw: [0, 0, 0, 0, 0, 1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0], type: 7)
      graph.node("ConstantOfShape", ["s"], "w")
      graph.node("MatMul", ["x", "w"], "y")
    }
    #expect(try failure(content, folder) is any DescribedError)
  }

  @Test("cycles, and nodes that read what is not there")
  func cycles() throws {
    let folder = try TemporaryFolder()
    let content = Message.model { graph in
      graph.node("Add", ["x", "b"], "a")
      graph.node("Relu", ["a"], "b")
      graph.node("Relu", ["b"], "y")
    }
    let error = try #require(try failure(content, folder) as? ONNXError)
    #expect(error.description.contains("which no node before it computes"))
  }

  @Test("a million nodes are refused")
  func manyNodes() throws {
    let folder = try TemporaryFolder()
    let content = Message.model { graph in
      for _ in 0..<1_000_000 { graph.data(1, []) }
    }
    let error = try #require(try failure(content, folder) as? ONNXError)
    #expect(error.description.contains("65536"))
  }

  @Test("constants that double at every step are refused")
  func doubling() throws {
    let folder = try TemporaryFolder()
    let content = Message.model { graph in
      graph.tensor("c0", [8192], raw: [UInt8](repeating: 0, count: 4 * 8192))
      for step in 0..<60 { graph.node("Add", ["c\(step)", "c\(step)"], "c\(step + 1)") }
      graph.node("Add", ["x", "c60"], "y")
    }
    #expect(try failure(content, folder) is ONNXError)
  }

  @Test(
    "whole numbers at the edges are no overflow",
    arguments: [
      "Neg", "Abs", "Add", "Sub", "Mul", "Div", "Mod", "Gather", "Range", "Slice", "Expand",
    ])
  func edges(type: String) throws {
    let folder = try TemporaryFolder()
    for numbers in [[Int.min], [Int.max], [-1], [0], [Int.min, Int.max], [1 << 40, 1 << 40]] {
      let content = Message.model { graph in
        graph.tensor(
          "n", [numbers.count],
          raw: numbers.flatMap { number in
            (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
          }, type: 7)
        graph.node("ConstantOfShape", ["n"], "f")
        graph.node(type, ["n", "n", "n"], "a")
        graph.node(type, ["f", "n", "n", "n", "n"], "b")
        graph.node("Add", ["x", "a"], "c")
        graph.node("Add", ["c", "b"], "y")
      }
      if let error = try failure(content, folder) { #expect(error is any DescribedError) }
    }
  }

  @Test("functions that double at every step stay small")
  func deepFunctions() throws {
    let folder = try TemporaryFolder()
    let content = Message.model { graph in
      graph.node("Sigmoid", ["x"], "v0")
      for step in 0..<200 { graph.node("Mul", ["v\(step)", "v\(step)"], "v\(step + 1)") }
      graph.node("Relu", ["v200"], "y")
    }
    if let error = try failure(content, folder) { #expect(error is any DescribedError) }
  }

  @Test(
    "files outside of the model's folder are not opened",
    arguments: ["../secret", "/etc/passwd", "a/../../secret", "", "link", "./secret/../../x"])
  func outside(location: String) throws {
    let folder = try TemporaryFolder()
    let inner = folder.file("inner")
    try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
    _ = try folder.file("secret", bytes([1, 2, 3, 4]))
    try FileManager.default.createSymbolicLink(
      at: inner.appendingPathComponent("link"), withDestinationURL: folder.file("secret"))
    let content = Message.model { graph in
      graph.external("w", [4], location: location)
      graph.node("Mul", ["x", "w"], "y")
    }
    let file = inner.appendingPathComponent("model.onnx")
    try Data(content).write(to: file)
    let error = #expect(throws: ONNXError.self) { try format().open(file) }
    #expect(error?.description.contains("not opened") == true)
  }

  @Test("a file beside the model is read")
  func beside() throws {
    let folder = try TemporaryFolder()
    _ = try folder.file("weights.bin", bytes([9, 1, 2, 3, 4]))
    let content = Message.model { graph in
      graph.message(5) { tensor in
        tensor.integer(1, 4)
        tensor.integer(2, 1)
        tensor.text(8, "w")
        for (key, value) in [("location", "weights.bin"), ("offset", "4"), ("length", "16")] {
          tensor.message(13) {
            $0.text(1, key)
            $0.text(2, value)
          }
        }
        tensor.integer(14, 1)
      }
      graph.node("Mul", ["x", "w"], "y")
    }
    let source = try format().open(folder.file("model.onnx", content))
    #expect(try source.floats(named: "affine1.scale").elements == [1, 2, 3, 4])
    // A file that is too short is found before a tensor is asked for.
    _ = try folder.file("weights.bin", bytes([9, 1, 2]))
    #expect(throws: ONNXError.self) { try format().open(folder.file("model.onnx")) }
  }

  @Test("all nodes without a counterpart are named at once")
  func unsupported() throws {
    let folder = try TemporaryFolder()
    let content = Message.model { graph in
      graph.node("Resize", ["x"], "a")
      graph.node("Relu", ["a"], "b")
      graph.node("Einsum", ["b"], "y")
    }
    let error = try #require(try failure(content, folder) as? ONNXError)
    #expect(error.description.contains("2 nodes"))
    #expect(error.description.contains("Resize ‘node of a’"))
    #expect(error.description.contains("Einsum ‘node of y’"))
    #expect(!error.description.contains("Relu"))
  }

  @Test("half, brain and double precision are read, in fields and as bytes")
  func elementTypes() throws {
    let folder = try TemporaryFolder()
    let halves: [(type: Int, raw: [UInt8])] = [
      (10, [0x00, 0x3C, 0x00, 0x40, 0x00, 0xC0, 0x00, 0x38]),
      (16, [0x80, 0x3F, 0x00, 0x40, 0x00, 0xC0, 0x00, 0x3F]),
      (
        11,
        [1.0, 2.0, -2.0, 0.5].flatMap { value in
          (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(8 * $0)) }
        }
      ),
    ]
    for (type, raw) in halves {
      let content = Message.model { graph in
        graph.tensor("w", [4], raw: raw, type: type)
        graph.node("Mul", ["x", "w"], "y")
      }
      let source = try format().open(folder.file("\(type).onnx", content))
      #expect(try source.floats(named: "affine1.scale").elements == [1, 2, -2, 0.5])
    }
    let typed = Message.model { graph in
      graph.message(5) { tensor in
        tensor.integer(1, 4)
        tensor.integer(2, 10)
        tensor.text(8, "w")
        for bits in [0x3C00, 0x4000, 0xC000, 0x3800] { tensor.integer(5, bits) }
      }
      graph.node("Mul", ["x", "w"], "y")
    }
    let source = try format().open(folder.file("typed.onnx", typed))
    #expect(try source.floats(named: "affine1.scale").elements == [1, 2, -2, 0.5])
  }

  @Test("tensors without a graph are kept as they are")
  func tensorsAlone() throws {
    let folder = try TemporaryFolder()
    let checkpoint = Checkpoint(
      metadata: ["a": .integer(1)],
      tensors: [
        NamedTensor("w", StoredTensor(try Tensor([1, .nan, 3], shape: [3]))),
        NamedTensor(
          "n", try StoredTensor(elementType: .int64, shape: [1], bytes: [1, 2, 3, 0, 0, 0, 0, 0])),
      ])
    try format().write(checkpoint, to: folder.file("a.onnx"))
    #expect(try Checkpoint(reading: format().open(folder.file("a.onnx"))) == checkpoint)
  }

  @Test("names are read whole wherever they lie in a long file")
  func longFile() throws {
    let folder = try TemporaryFolder()
    // Some 600 kB of nodes, so that names lie across the parts in which a file is read.
    let count = 6000
    let content = Message.model { graph in
      for step in 0..<count {
        graph.node(
          "Identity", [step == 0 ? "x" : "value number \(step)"], "value number \(step + 1)")
      }
      graph.node("Relu", ["value number \(count)"], "y")
    }
    let source = try format().open(folder.file("a.onnx", content))
    #expect(source.metadata["network"] == .string("relu"))
  }

  @Test("versions and open sizes are told")
  func versionsAndSizes() throws {
    let folder = try TemporaryFolder()
    let old = Message.model(operatorSet: 6) { $0.node("Relu", ["x"], "y") }
    #expect(
      try #require(try failure(old, folder) as? ONNXError).description.contains("opset_version=17"))
    let open = Message.model(sizes: [0]) { $0.node("Relu", ["x"], "y") }
    #expect(
      try #require(try failure(open, folder) as? ONNXError).description.contains("onnx:input="))
    let file = try folder.file("open.onnx", open)
    #expect(try format("onnx:input=7").open(file).metadata["input"] == .array([.integer(7)]))
  }
}
