// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWNumerics
import Testing

/// An activation and what it is in double precision.
struct ActivationCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var value: @Sendable (Double) -> Double
  var slope: @Sendable (Double) -> Double
  var apply: @Sendable (inout Tensor, Workers) -> Void
  /// Changes a gradient, for an input and an output.
  var backward: @Sendable (inout Tensor, Tensor, Tensor, Workers) -> Void

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  private static func distribution(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
  private static let root = (2 / Double.pi).squareRoot()
  private static func share(_ x: Double) -> Double {
    // 1 + tanh(u) without the loss of digits below zero.
    1 / (1 + exp(-2 * root * (x + 0.044715 * x * x * x)))
  }

  static let all = [
    ActivationCase(
      testDescription: "leaky ReLU", value: { $0 < 0 ? 0.01 * $0 : $0 },
      slope: { $0 > 0 ? 1 : 0.01 }, apply: { $0.leakyReLU(slope: 0.01, workers: $1) },
      backward: { $0.leakyReLUBackward(input: $1, slope: 0.01, workers: $3) }),
    ActivationCase(
      testDescription: "leaky ReLU by its output", value: { $0 < 0 ? 0.25 * $0 : $0 },
      slope: { $0 > 0 ? 1 : 0.25 }, apply: { $0.leakyReLU(slope: 0.25, workers: $1) },
      backward: { $0.leakyReLUBackward(input: $2, slope: 0.25, workers: $3) }),
    ActivationCase(
      testDescription: "leaky ReLU that turns", value: { $0 < 0 ? -0.5 * $0 : $0 },
      slope: { $0 > 0 ? 1 : -0.5 }, apply: { $0.leakyReLU(slope: -0.5, workers: $1) },
      backward: { $0.leakyReLUBackward(input: $1, slope: -0.5, workers: $3) }),
    ActivationCase(
      testDescription: "ReLU6", value: { min(max($0, 0), 6) }, slope: { $0 > 0 && $0 < 6 ? 1 : 0 },
      apply: { $0.clip(lower: 0, upper: 6, workers: $1) },
      backward: { $0.clipBackward(output: $2, lower: 0, upper: 6, workers: $3) }),
    ActivationCase(
      testDescription: "sigmoid", value: sigmoid, slope: { sigmoid($0) * sigmoid(-$0) },
      apply: { $0.sigmoid(workers: $1) },
      backward: { $0.sigmoidBackward(output: $2, workers: $3) }),
    ActivationCase(
      testDescription: "SiLU", value: { $0 * sigmoid($0) },
      slope: { sigmoid($0) * (1 + $0 * sigmoid(-$0)) }, apply: { $0.silu(workers: $1) },
      backward: { $0.siluBackward(input: $1, workers: $3) }),
    ActivationCase(
      testDescription: "hard sigmoid", value: { min(max($0 / 6 + 0.5, 0), 1) },
      slope: { abs($0) < 3 ? 1.0 / 6 : 0 }, apply: { $0.hardSigmoid(workers: $1) },
      backward: { $0.hardSigmoidBackward(output: $2, workers: $3) }),
    ActivationCase(
      testDescription: "hard swish", value: { $0 * min(max($0 / 6 + 0.5, 0), 1) },
      slope: { $0 <= -3 ? 0 : $0 >= 3 ? 1 : $0 / 3 + 0.5 }, apply: { $0.hardSwish(workers: $1) },
      backward: { $0.hardSwishBackward(input: $1, workers: $3) }),
    ActivationCase(
      testDescription: "GELU", value: { $0 * distribution($0) },
      slope: { distribution($0) + $0 * exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot() },
      apply: { $0.gelu(workers: $1) }, backward: { $0.geluBackward(input: $1, workers: $3) }),
    ActivationCase(
      testDescription: "GELU by tanh", value: { $0 * share($0) },
      slope: { x in
        share(x) + 2 * x * share(x) * share(-x) * root * (1 + 3 * 0.044715 * x * x)
      },
      apply: { $0.tanhGELU(workers: $1) },
      backward: { $0.tanhGELUBackward(input: $1, workers: $3) }),
    ActivationCase(
      testDescription: "ELU", value: { $0 < 0 ? 1.5 * expm1($0) : $0 },
      slope: { $0 < 0 ? 1.5 * exp($0) : 1 }, apply: { $0.elu(alpha: 1.5, workers: $1) },
      backward: { $0.eluBackward(output: $2, alpha: 1.5, workers: $3) }),
  ]
}

@Suite struct SmoothActivationTests {
  /// Values of all sizes that matter, densely around the bends.
  static let inputs =
    (stride(from: -40.0, through: 40, by: 0.0037).map(Float.init)
    + stride(from: -0.1, through: 0.1, by: 0.000_13).map(Float.init)
    + [-1e30, -300, -104, -88, 0, 3.0625, -3.0625, 88, 104, 300, 1e30, 1e-30, -1e-30])
    .filter { ![3, -3, 6, 0].contains($0) }

  @Test(arguments: ActivationCase.all, [1, 2]) func values(c: ActivationCase, workers: Int) {
    var output = Tensor(Self.inputs)
    c.apply(&output, Workers(workers))
    let errors = zip(Self.inputs, output.elements).map { input, output in
      let expected = c.value(Double(input))
      return abs(Double(output) - expected) / max(1, abs(expected))
    }
    #expect(errors.allSatisfy { $0 < 1e-6 })
  }

  @Test(arguments: ActivationCase.all, [1, 2]) func gradients(c: ActivationCase, workers: Int) {
    let input = Tensor(Self.inputs)
    var output = input
    c.apply(&output, .serial)
    let behind = normal(input.shape, seed: 2)
    var gradient = behind
    c.backward(&gradient, input, output, Workers(workers))
    let errors = gradient.elements.indices.map { index in
      let expected = c.slope(Double(Self.inputs[index])) * Double(behind.elements[index])
      return abs(Double(gradient.elements[index]) - expected)
    }
    #expect(errors.allSatisfy { $0 < 4e-6 })
  }

  /// The slopes themselves, which the gradients are held against.
  @Test(arguments: ActivationCase.all) func slopesAreFiniteDifferences(c: ActivationCase) {
    for x in stride(from: -7.0, through: 7, by: 0.0117) where abs(abs(x) - 3) > 0.01 {
      guard abs(x) > 0.01, abs(x - 6) > 0.01 else { continue }
      let difference = (c.value(x + 1e-5) - c.value(x - 1e-5)) / 2e-5
      #expect(abs(c.slope(x) - difference) < 1e-8)
    }
  }

  @Test(arguments: ActivationCase.all) func extremes(c: ActivationCase) {
    var output = Tensor([.nan, .infinity, -.infinity, .greatestFiniteMagnitude])
    c.apply(&output, .serial)
    #expect(output.elements[0].isNaN)
    #expect(Double(output.elements[1]) == c.value(.infinity))
    #expect(!output.elements[2].isNaN && !output.elements[3].isNaN)
  }

  @Test func sigmoidOfManySizesInUnitsOfTheLastPlace() {
    let inputs = stride(from: Float(-80), through: 80, by: 0.0173).map { $0 }
    var output = Tensor(inputs)
    output.sigmoid()
    let errors = zip(inputs, output.elements).map { ulps($1, from: 1 / (1 + exp(-Double($0)))) }
    #expect((errors.max() ?? .infinity) <= 4)
  }

  @Test(arguments: [
    ([7, 10], 1), ([3, 11, 5, 4], 1), ([2, 5, 150], 1), ([4, 6, 33], 2), ([9], 0),
  ])
  func softmax(sizes: [Int], axis: Int) {
    let shape = Shape(sizes)
    let (size, inner) = (sizes[axis], sizes[(axis + 1)...].reduce(1, *))
    let input = normal(shape, deviation: 5)
    let behind = normal(shape, seed: 2)
    for workers in [1, 2] {
      var output = input
      output.softmax(axis: axis, workers: Workers(workers))
      var gradient = behind
      gradient.softmaxBackward(output: output, axis: axis, workers: Workers(workers))
      for row in 0..<shape.count / size {
        let places = (0..<size).map { (row / inner * size + $0) * inner + row % inner }
        let powers = places.map { exp(Double(input.elements[$0])) }
        let values = powers.map { $0 / powers.reduce(0, +) }
        let own = places.map { output.elements[$0] }
        #expect(largestError(own, values) < 1e-6)
        let g = places.map { Double(behind.elements[$0]) }
        let mean = zip(g, values).reduce(0) { $0 + $1.0 * $1.1 }
        let expected = zip(g, values).map { $1 * ($0 - mean) }
        #expect(largestError(places.map { gradient.elements[$0] }, expected) < 2e-6)
      }
    }
  }

  @Test func softmaxOfLargeAndUndefinedNumbers() {
    var large = Tensor(repeating: 0, shape: [2, 3])
    large.elements = [1e30, 0, -1e30, .nan, 0, 1]
    large.softmax(axis: 1)
    #expect(Array(large.elements[..<3]) == [1, 0, 0])
    #expect(large.elements[3...].allSatisfy { $0.isNaN })
  }
}
