// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// Networks that PyTorch trained and exported, from their files to a path.
struct ONNXFileTests {
  private let program: Program

  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures").appendingPathComponent("ONNX")

  init() throws {
    program = try Program()
    for name in ["digits-1.onnx", "digits-2.onnx", "digits-1-open.onnx", "unsupported.onnx"] {
      try FileManager.default.copyItem(
        at: Self.fixtures.appendingPathComponent(name),
        to: program.folder.url.appendingPathComponent(name))
    }
  }

  /// What PyTorch measured of a network.
  private func reference(_ name: String) throws -> (accuracy: Double, loss: Double) {
    let json = try JSONValue(
      parsing: [UInt8](Data(contentsOf: Self.fixtures.appendingPathComponent("digits.json"))))
    let figures = try #require(json.object?[name]?.object)
    return (
      try #require(figures["accuracy"]?.double), try #require(figures["loss"]?.double)
    )
  }

  @Test(arguments: ["digits-1", "digits-2"])
  func `a file goes to lcw and back, and measures what PyTorch does`(name: String) throws {
    #expect(try program.run("convert", "\(name).onnx", "a.lcw").output == "a.lcw: 17 tensors\n")
    try program.run("convert", "a.lcw", "again.onnx")
    // Batch normalisations and the model's names are kept.
    let own = try program.run("inspect", "a.lcw").output
    #expect(own.contains("conv1.weight") && own.contains("bn1.variance"))
    #expect(
      try program.run("diff", "a.lcw", "again.onnx").output == "0 of 17 tensors differ\n")
    let expected = try reference(name)
    for file in ["\(name).onnx", "a.lcw", "again.onnx"] {
      let text = try program.run("evaluate", file, "--dataset", "digits", "--threads", "1").output
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(file) })
      let figures = line.split(whereSeparator: \.isWhitespace)
      #expect(figures[3] == String(format: "%.3f%%", 100 * expected.accuracy))
      let loss = try #require(Double(figures[4]))
      #expect(abs(loss - expected.loss) < 1e-5)
    }
  }

  @Test
  func `the graph and its groups are shown`() throws {
    #expect(try program.run("inspect", "digits-1.onnx").output.contains("conv 8 3x3 pad 1 no-bias"))
    let text = try program.run("inspect", "digits-1.onnx", "--groups").output
    #expect(text.contains("4 groups, of which 2 may be permuted: 20 units"))
    #expect(
      text.split(separator: "\n").contains { $0.contains("conv1, conv2") && $0.contains(" yes") })
    let json = try program.json("inspect", "digits-1.onnx", "--json")
    let record = json.object?["metadata"]?.object?["onnx"]?.object
    #expect(record?["input"] == "input" && record?["operators"] == 17)
  }

  @Test
  func `a network gets the names that its file of ONNX has, not lcw's`() throws {
    try program.run("convert", "digits-1.onnx", "a.lcw")
    let said = try program.run(
      "convert", "a.lcw", "again.safetensors", "--names-of", "digits-1.onnx")
    #expect(said.errors.isEmpty, "\(said.errors)")
    let json = try program.json("inspect", "again.safetensors", "--json")
    let names = try #require(json.object?["tensors"]?.array).compactMap {
      $0.object?["name"]?.string
    }
    #expect(names.contains { $0.hasSuffix(".running_mean") }, "\(names)")
    #expect(!names.contains { $0.hasSuffix(".mean") })
  }

  @Test
  func `two files are joined once their norms are folded`() throws {
    let data = ["--dataset", "digits", "--threads", "1"]
    // What the norms do to a path is said, and what helps.
    #expect(
      try program.run(
        ["connect", "digits-1.onnx", "digits-2.onnx", "-m", "linear", "-o", "p.lcw"] + data
      ).errors.contains("--fold-batchnorm"))
    for number in [1, 2] {
      try program.run(
        "convert", "digits-\(number).onnx", "folded-\(number).onnx", "--fold-batchnorm")
    }
    for method in ["linear", "arc"] {
      try program.run(
        ["connect", "folded-1.onnx", "folded-2.onnx", "-m", method, "-o", "\(method).lcw"] + data)
      let text = try program.run(
        ["evaluate", "\(method).lcw", "--points", "3", "--no-refine"] + data
      ).output
      #expect(text.contains("95.28%"), "\(text)")
    }
  }

  @Test
  func `all nodes without a counterpart are listed in one line`() throws {
    let error = try program.run("convert", "unsupported.onnx", "a.lcw", expecting: 65).errors
    #expect(error.contains("2 nodes without a counterpart"))
    #expect(error.contains("Det ‘first’") && error.contains("Einsum ‘second’"))
    #expect(error.contains("lcw plugins operation"))
    #expect(error.split(separator: "\n").count == 1)
    #expect(
      !FileManager.default.fileExists(
        atPath: program.folder.url.appendingPathComponent("a.lcw").path))
  }

  @Test
  func `sizes that a file leaves open are said, and wrong ones refused`() throws {
    let open = ["convert", "digits-1-open.onnx", "a.lcw"]
    #expect(
      try program.run(open, expecting: 65).errors.contains("--input-format onnx:input=3x224x224"))
    for (size, reason) in [
      ("3x8x8", "not of the sizes 3x8x8"), ("1x8", "not of the sizes 1x8"),
    ] {
      #expect(
        try program.run(open + ["--input-format", "onnx:input=\(size)"], expecting: 65).errors
          .contains(reason))
    }
    for size in ["8xa", "0x8x8", "1x-8x8", "1x8x8x"] {
      #expect(
        try program.run(open + ["--input-format", "onnx:input=\(size)"], expecting: 64).errors
          .contains("expected sizes such as 3x224x224"))
    }
    try program.run(open + ["--input-format", "onnx:input=1x8x8"])
    try program.run("convert", "digits-1.onnx", "b.lcw")
    #expect(try program.run("diff", "a.lcw", "b.lcw").output == "0 of 17 tensors differ\n")
  }

  @Test
  func `a file that is cut short, and a network that is no graph's, are said`() throws {
    let whole = try program.bytes("digits-1.onnx")
    try whole.prefix(whole.count / 2).write(
      to: program.folder.url.appendingPathComponent("cut.onnx"))
    let error = try program.run("inspect", "cut.onnx", expecting: 65).errors
    #expect(error.contains("cut.onnx is not a whole file of ONNX"))
    // A path holds no network that a graph could be made of.
    try program.run(
      "convert", "digits-1.onnx", "f.lcw", "--fold-batchnorm")
    try program.run(
      "connect", "f.lcw", "f.lcw", "-m", "linear", "-o", "p.lcw", "--dataset", "digits",
      "--threads", "1")
    #expect(
      try program.run("convert", "p.lcw", "p.onnx", expecting: 64).errors
        .contains("of kind ‘path’"))
  }
}
