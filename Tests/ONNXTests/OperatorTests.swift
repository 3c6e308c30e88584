// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import SafetensorsFormat
import Testing

/// Models of a few nodes that `write_operators.py` wrote, and what onnxruntime makes of samples.
struct OperatorTests {
  private static let folder = fixture("operators")

  static let names =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".onnx") }.map { String($0.dropLast(5)) }.sorted()

  private func samples(_ name: String) throws -> (input: Tensor, output: Tensor) {
    let reference = try Safetensors().open(fixture("operators.safetensors"))
    let output = try reference.floats(named: "\(name).output")
    // What a network puts out here is flat.
    return (
      try reference.floats(named: "\(name).input"),
      output.reshaped([output.shape.rows, output.shape.rowCount])
    )
  }

  @Test func `there are fixtures`() { #expect(Self.names.count >= 35) }

  @Test(arguments: names)
  func `computes what onnxruntime does`(name: String) throws {
    let source = try format().open(Self.folder.appendingPathComponent("\(name).onnx"))
    let (input, expected) = try samples(name)
    var own = input
    let network = try source.trainedNetwork(from: registry).weights.network
    // Samples that have their channels last there have them first here.
    if Array(input.shape.dimensions.dropFirst()) != network.inputShape.dimensions {
      own = input.reordered(axes: [0, 3, 1, 2])
    }
    #expect(difference(try output(of: source, for: own), expected) < 1e-5)
    // And what is written of it is the same network.
    let folder = try TemporaryFolder()
    try format().write(source, to: folder.file("again.onnx"))
    let again = try format().open(folder.file("again.onnx"))
    #expect(difference(try output(of: again, for: own), expected) < 1e-5)
  }

  @Test(
    arguments: [
      ("shuffle-fixed", "shuffle 2"), ("shuffle-3-3", "shuffle 3"), ("prelu-one", "leaky-relu 0.2"),
      ("groupnorm-18", "groupnorm 3 epsilon 0.001"), ("layernorm-inverse", "layernorm"),
      ("global-maxpool", "maxpool 4x5"), ("swish", "silu"), ("if", "sigmoid"),
      ("channels-last", "conv 3 1x1"), ("conv-same_lower", "pad 1x1x1x0"),
    ])
  func `becomes what it is`(name: String, words: String) throws {
    let source = try format().open(Self.folder.appendingPathComponent("\(name).onnx"))
    let text = source.metadata["network"]?.string ?? ""
    #expect(text.contains(words), "\(text)")
  }
}
