// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWNumerics
import Testing

@Suite struct ActivationTests {
  @Test(arguments: counts, [1, 2]) func relu(count: Int, workers: Int) {
    let input = normal([count])
    var output = input
    output.relu(workers: Workers(workers))
    #expect(firstDifference(output.elements, input.elements.map { $0 < 0 ? 0 : $0 }) == nil)
  }

  @Test(arguments: counts, [1, 2]) func reluBackward(count: Int, workers: Int) {
    let gradient = normal([count], seed: 2)
    var output = normal([count])
    output.relu()
    var result = gradient
    result.reluBackward(output: output, workers: Workers(workers))
    let expected = zip(gradient.elements, output.elements).map { $1 > 0 ? $0 : 0 }
    #expect(firstDifference(result.elements, expected) == nil)
  }

  @Test func tanhOfAllMagnitudes() {
    // Every 4999th float from 0 to infinity, and their negatives.
    let positive = stride(from: UInt32(0), to: 0x7F80_0000, by: 4999).map(Float.init(bitPattern:))
    let inputs = positive + positive.map { -$0 } + [.infinity, -.infinity]
    var output = Tensor(inputs)
    output.tanh()
    let errors = zip(inputs, output.elements).map { ulps($1, from: Foundation.tanh(Double($0))) }
    #expect((errors.max() ?? .infinity) <= 6)
    #expect(output.elements.allSatisfy { abs($0) <= 1 })
    #expect(zip(inputs, output.elements).allSatisfy { $0.sign == $1.sign })
  }

  @Test(arguments: counts, [1, 2]) func tanhBackward(count: Int, workers: Int) {
    let gradient = normal([count], seed: 2)
    var output = normal([count])
    output.tanh()
    var result = gradient
    result.tanhBackward(output: output, workers: Workers(workers))
    let expected = zip(gradient.elements, output.elements).map {
      Double($0) * (1 - Double($1) * Double($1))
    }
    #expect(largestError(result.elements, expected) < 1e-6)
  }

  @Test func notANumberStaysSo() {
    var relu = Tensor([.nan, -.nan, 1, -.infinity, .infinity, -0.0])
    var tanh = relu
    relu.relu()
    tanh.tanh()
    #expect(relu.elements.map(\.isNaN) == [true, true, false, false, false, false])
    #expect(Array(relu.elements[2...]) == [1, 0, .infinity, 0])
    #expect(tanh.elements.map(\.isNaN) == [true, true, false, false, false, false])
  }

  @Test(arguments: counts, [1, 2]) func multiply(count: Int, workers: Int) {
    let (a, b) = (normal([count]), normal([count], seed: 2))
    var result = a
    result.multiply(by: b, workers: Workers(workers))
    let expected = zip(a.elements, b.elements).map { $0 * $1 }
    #expect(firstDifference(result.elements, expected) == nil)
  }

  @Test(arguments: counts, [1, 2]) func assignTimesPlus(count: Int, workers: Int) {
    let (a, b) = (normal([count]), normal([count], seed: 2))
    var result = a
    result.assign(0.75, times: b, plus: -1.5, workers: Workers(workers))
    let expected = zip(a.elements, b.elements).map { -1.5 * Double($0) + 0.75 * Double($1) }
    #expect(largestError(result.elements, expected) < 1e-6)
  }

  @Test func assignWithScaleZeroDoesNotReadTheOldValues() {
    var result = Tensor([.nan, .infinity, 3])
    result.assign(2, times: Tensor([1, 2, 3]), plus: 0)
    #expect(result.elements == [2, 4, 6])
  }

  @Test(arguments: counts) func squaredDistance(count: Int) {
    let (a, b) = (normal([count]), normal([count], seed: 2))
    let expected = zip(a.elements, b.elements).reduce(0.0) {
      $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1))
    }
    #expect(abs(a.squaredDistance(to: b) - expected) <= 1e-12 * expected)
    #expect(a.squaredDistance(to: a) == 0)
  }

  @Test func squaredDistanceIsExactWhereFloatsAreNot() {
    let a = Tensor([4097, 1])
    #expect(a.squaredDistance(to: Tensor([0, 0])) == 4097 * 4097 + 1)
  }
}
