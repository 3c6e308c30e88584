// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import SafetensorsFormat
import Testing

/// The operations that the tests are linked with.
func linkedOperations() throws -> OperationCatalog { try PluginRegistry.linked().operations }

/// The operation that a text means.
func parse(_ text: String) throws -> any NetworkOperation {
  try linkedOperations().operation(text.split(separator: " ").map(String.init))
}

/// What a Safetensors file of the fixtures has.
func contents(ofFixture path: String) throws -> (
  tensors: [String: Tensor], metadata: [String: JSONValue]
) {
  let file = Bundle.module.bundleURL.appendingPathComponent("Fixtures/\(path)")
  let source = try Safetensors().open(file)
  let tensors = try source.entries.map { ($0.name, try source.tensor(named: $0.name).floats) }
  return (Dictionary(uniqueKeysWithValues: tensors), source.metadata)
}

/// Expects that all elements agree, to 1e-5 of the largest or of 1.
func expectClose(
  _ found: Tensor?, _ expected: Tensor, within tolerance: Float = 1e-5, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard let found, found.shape == expected.shape else {
    Issue.record(
      "\(what): \(found.map { "\($0.shape)" } ?? "nothing") instead of \(expected.shape)",
      sourceLocation: sourceLocation)
    return
  }
  let bound = tolerance * expected.elements.reduce(1) { max($0, abs($1)) }
  // So that a NaN is a difference.
  let isClose = zip(found.elements, expected.elements).allSatisfy { abs($0 - $1) <= bound }
  let largest = zip(found.elements, expected.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
  #expect(isClose, "\(what) differs by \(largest)", sourceLocation: sourceLocation)
}

/// A case of one operation that PyTorch computed.
struct OperationFixture {
  var name: String
  var operation: any NetworkOperation
  var tensors: [String: Tensor]

  /// Holds all cases of an operation against what it computes.
  static func hold(
    _ name: String, count: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let folder = Bundle.module.bundleURL.appendingPathComponent("Fixtures")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    var held = 0
    for file in files where file.hasSuffix(".safetensors") {
      let (tensors, metadata) = try contents(ofFixture: file)
      guard case .string(let text)? = metadata["operation"], text.split(separator: " ")[0] == name
      else { continue }
      let fixture = OperationFixture(
        name: file, operation: try parse(text), tensors: tensors)
      try fixture.hold()
      held += 1
    }
    #expect(held == count, "cases of \(name)", sourceLocation: sourceLocation)
  }

  private var inputs: [Tensor] {
    ["input", "input2", "input3"].compactMap { tensors[$0] }
  }

  private func hold() throws {
    let shapes = inputs.map { Shape(Array($0.shape.dimensions.dropFirst())) }
    let output = try operation.outputShape(for: shapes)
    let expected = try #require(tensors["output"], "\(name)")
    #expect(output.batched(inputs[0].shape.rows) == expected.shape, "\(name)")
    let descriptions = try operation.parameters(for: shapes)
    let roles = tensors.keys.filter { $0.hasPrefix("parameter.") }.map { $0.dropFirst(10) }
    #expect(Set(descriptions.map(\.role.rawValue)) == Set(roles.map(String.init)), "\(name)")
    let parameters = try descriptions.map {
      let tensor = try #require(tensors["parameter.\($0.role.rawValue)"], "\(name)")
      #expect(tensor.shape == $0.shape, "\(name)")
      return tensor
    }
    let kernel = operation.kernel(inputs: shapes, output: output, fusing: nil)
    for workers in [Workers.serial, Workers(3)] {
      expectClose(
        kernel.output(of: inputs, parameters: parameters, workers: workers), expected,
        "\(name): output")
    }
    guard let gradient = tensors["outputGradient"] else { return }
    try holdTraining(kernel, descriptions, parameters, gradient)
    if operation.fuses(.rectifier) {
      let fused = operation.kernel(inputs: shapes, output: output, fusing: .rectifier)
      holdFused(kernel, fused, parameters, gradient)
    }
  }

  private func holdTraining(
    _ kernel: any OperationKernel, _ descriptions: [ParameterDescription], _ parameters: [Tensor],
    _ gradient: Tensor
  ) throws {
    var pass = TrainingPass()
    let (output, record) = kernel.outputRecording(of: inputs, parameters: parameters, pass: &pass)
    expectClose(output, try #require(tensors["trainingOutput"]), "\(name): training output")
    // With nothing carried over, what the buffers held must not be read; with a half of 2, it is 1.
    for (carry, held) in [(Float(0), Float.nan), (0.5, 2)] {
      pass.carry = carry
      var gradients = parameters.map { Tensor(repeating: held, shape: $0.shape) }
      let before = kernel.backward(
        gradient, record: record, parameters: parameters, gradients: &gradients,
        needs: inputs.map { _ in true }, pass: pass)
      #expect(before.count == inputs.count, "\(name)")
      for (index, found) in before.enumerated() {
        let key = "input\(index == 0 ? "" : "\(index + 1)")Gradient"
        expectClose(found, try #require(tensors[key]), "\(name): \(key)")
      }
      for (index, description) in descriptions.enumerated() {
        let role = description.role.rawValue
        switch description.update {
        case .gradient:
          var expected = try #require(tensors["gradient.\(role)"])
          if carry > 0 { expected.add(Tensor(repeating: 1, shape: expected.shape)) }
          expectClose(gradients[index], expected, "\(name): gradient of \(role)")
        case .average(let share):
          var after = parameters[index]
          after.assign(share, times: gradients[index], plus: 1 - share)
          expectClose(after, try #require(tensors["after.\(role)"]), "\(name): \(role) after")
        }
      }
    }
  }

  /// A ReLU that an operation takes over does what it does behind it.
  private func holdFused(
    _ kernel: any OperationKernel, _ fused: any OperationKernel, _ parameters: [Tensor],
    _ gradient: Tensor
  ) {
    var clipped = kernel.output(of: inputs, parameters: parameters, workers: .serial)
    clipped.relu()
    expectClose(
      fused.output(of: inputs, parameters: parameters, workers: .serial), clipped,
      "\(name): output with a ReLU")
    var pass = TrainingPass()
    var (output, record) = kernel.outputRecording(
      of: inputs, parameters: parameters, pass: &pass)
    output.relu()
    var behind = gradient
    behind.reluBackward(output: output)
    let (fusedOutput, fusedRecord) = fused.outputRecording(
      of: inputs, parameters: parameters, pass: &pass)
    expectClose(fusedOutput, output, "\(name): training output with a ReLU")
    var gradients = parameters.map { Tensor(zeros: $0.shape) }
    var fusedGradients = gradients
    let needs = inputs.map { _ in true }
    let before = kernel.backward(
      behind, record: record, parameters: parameters, gradients: &gradients, needs: needs,
      pass: pass)
    let fusedBefore = fused.backward(
      gradient, record: fusedRecord, parameters: parameters, gradients: &fusedGradients,
      needs: needs, pass: pass)
    for (found, expected) in zip(fusedBefore, before) {
      if let expected { expectClose(found, expected, "\(name): input's gradient with a ReLU") }
    }
    for (found, expected) in zip(fusedGradients, gradients) {
      expectClose(found, expected, "\(name): parameter's gradient with a ReLU")
    }
  }
}
