// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

/// Weights that nothing can be computed with in single precision.
struct WeightsFaultTests {
  private let network: Network

  init() throws {
    network = try Network(
      inputShape: [4],
      layers: [.dense(outputs: 3, bias: true), .relu, .dense(outputs: 2, bias: true)])
  }

  private func weights(_ value: Float) throws -> Weights {
    try Weights(
      network: network,
      tensors: network.parameters.map { Tensor(repeating: value, shape: $0.shape) })
  }

  @Test(arguments: [Float(0), 1, -1e-37, 1e37, Float.leastNormalMagnitude])
  func `almost all weights are usable`(value: Float) throws {
    #expect(try weights(value).fault == nil)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func `what is not finite is counted`(value: Float) throws {
    var weights = try weights(1)
    weights[3].elements[1] = value
    let fault = try #require(weights.fault)
    #expect(fault.index == 3 && fault.reason == .notFinite(count: 1, of: 2))
    #expect(
      fault.description == "1 of the 2 values of ‘dense2.bias’ is not finite (NaN or infinity)")
    #expect(fault.description(naming: "2.bias").contains("‘2.bias’"))
  }

  @Test func `a unit whose weights add up to infinity is too large`() throws {
    var weights = try weights(0)
    weights[0].elements[4] = 2e38
    #expect(weights.fault == nil)
    weights[0].elements[7] = -2e38
    #expect(weights.fault?.reason == .tooLarge(magnitude: 2e38))
    // Two units with one such weight each are fine.
    weights[0].elements[7] = 0
    weights[0].elements[8] = 2e38
    #expect(weights.fault == nil)
  }

  @Test func `weights that are all subnormal are too small, unless all are zero`() throws {
    var weights = try weights(1)
    weights[2] = Tensor(repeating: .leastNormalMagnitude / 100, shape: weights[2].shape)
    let fault = try #require(weights.fault)
    #expect(fault.parameter == "dense2.weight")
    #expect(fault.description.contains("too small for single precision"))
    weights[2].elements[0] = 1e-10
    #expect(weights.fault == nil)
    weights[2] = Tensor(zeros: weights[2].shape)
    weights[3] = Tensor(repeating: .leastNormalMagnitude / 100, shape: weights[3].shape)
    #expect(weights.fault == nil)
  }
}
