// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

/// The laws every explicit method keeps, and the formulas of these.
struct MethodTests {
  static let networks: [[Int]] = [[6, 5], [6, 9, 4], [6, 9, 8, 4], [6, 7, 9, 8, 4]]

  @Test(arguments: ["linear", "arc"], networks)
  func `a path starts at A and ends at B, to the bit`(method: String, sizes: [Int]) throws {
    let network = try denseNetwork(sizes)
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    let path = try path(method, a, b)
    #expect(try path.weights(at: path.domain.lowerBound).isIdentical(to: a))
    #expect(try path.weights(at: path.domain.upperBound).isIdentical(to: b))
    #expect(try path.weights(at: 0.5).isFinite)
  }

  @Test(arguments: ["linear", "arc"], networks)
  func `halving the spacing halves the largest step`(method: String, sizes: [Int]) throws {
    let network = try denseNetwork(sizes)
    let path = try path(
      method, Weights(randomFor: network, seed: 1), Weights(randomFor: network, seed: 2))
    func largestStep(_ steps: Int) throws -> Double {
      let points = try (0...steps).map { try path.weights(at: Double($0) / Double(steps)) }
      return zip(points, points.dropFirst()).map { $0.distance(to: $1) }.max() ?? 0
    }
    let ratio = try largestStep(32) / largestStep(64)
    #expect((1.9...2.1).contains(ratio))
  }

  @Test
  func `linear is the weighted mean`() throws {
    let network = try denseNetwork([6, 9, 4])
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    let point = try path("linear", a, b).weights(at: 0.3)
    for parameter in network.parameters.indices {
      for (index, value) in point[parameter].elements.enumerated() {
        let expected = 0.7 * a[parameter].elements[index] + 0.3 * b[parameter].elements[index]
        #expect(abs(value - expected) < 1e-6)
      }
    }
  }

  @Test
  func `arc turns the neurons of two layers around their common mean`() throws {
    let network = try denseNetwork([6, 9, 4])
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    let population = try HiddenPopulation(of: network, hidden: 0)
    let (first, second) = (population.neurons(of: a), population.neurons(of: b))
    let mean = (0..<population.dimension).map { column in
      (0..<9).reduce(0.0) {
        $0 + Double(first.row($1)[first.row($1).startIndex + column])
          + Double(second.row($1)[second.row($1).startIndex + column])
      } / 18
    }
    let t = 0.35
    let point = try path("arc", a, b).weights(at: t)
    let neurons = population.neurons(of: point)
    for index in 0..<neurons.count {
      let center = mean[index % population.dimension]
      let expected =
        center + cos(.pi * t / 2) * (Double(first.elements[index]) - center)
        + sin(.pi * t / 2) * (Double(second.elements[index]) - center)
      #expect(abs(Double(neurons.elements[index]) - expected) < 1e-6)
    }
    // The output bias is one sample for each network.
    for index in 0..<4 {
      let (x, y) = (Double(a[3].elements[index]), Double(b[3].elements[index]))
      let center = (x + y) / 2
      let expected = center + cos(.pi * t / 2) * (x - center) + sin(.pi * t / 2) * (y - center)
      #expect(abs(Double(point[3].elements[index]) - expected) < 1e-6)
    }
  }

  @Test
  func `arc takes the rows of each layer of a deeper network as samples`() throws {
    let network = try denseNetwork([6, 9, 8, 4])
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    let t = 0.6
    let point = try path("arc", a, b).weights(at: t)
    for parameter in [0, 2, 4] {
      let width = a[parameter].shape.rowCount
      let rows = a[parameter].shape.rows
      for column in 0..<width {
        let all = (0..<rows).flatMap {
          [a[parameter].elements[$0 * width + column], b[parameter].elements[$0 * width + column]]
        }
        let center = all.reduce(0) { $0 + Double($1) } / Double(all.count)
        for row in 0..<rows {
          let index = row * width + column
          let expected =
            center + cos(.pi * t / 2) * (Double(a[parameter].elements[index]) - center)
            + sin(.pi * t / 2) * (Double(b[parameter].elements[index]) - center)
          #expect(abs(Double(point[parameter].elements[index]) - expected) < 1e-6)
        }
      }
    }
  }

  @Test
  func `linear squeezes the neurons' distribution and arc preserves it`() throws {
    let network = try denseNetwork([30, 1000, 10])
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    let population = try HiddenPopulation(of: network, hidden: 0)
    func spread(_ weights: Weights) -> Double {
      let neurons = population.neurons(of: weights)
      return neurons.elements.reduce(0) { $0 + Double($1) * Double($1) }
    }
    let ends = spread(a)
    let linear = try spread(path("linear", a, b).weights(at: 0.5))
    let arc = try spread(path("arc", a, b).weights(at: 0.5))
    #expect(abs(linear / ends - 0.5) < 0.03)
    #expect(abs(arc / ends - 1) < 0.03)
  }

  @Test(arguments: ["linear", "arc"])
  func `networks that differ are refused with both named`(method: String) throws {
    let a = try Weights(randomFor: denseNetwork([6, 9, 4]), seed: 1)
    let b = try Weights(randomFor: denseNetwork([6, 8, 4]), seed: 1)
    #expect(
      throws: NetworkError.mismatch(
        "[6] dense 9; relu; dense 4", "[6] dense 8; relu; dense 4")
    ) { _ = try path(method, a, b) }
  }

  @Test(arguments: ["linear", "arc"])
  func `equal ends give a constant path`(method: String) throws {
    let a = try Weights(randomFor: denseNetwork([6, 9, 4]), seed: 1)
    let path = try path("linear", a, a)
    #expect(try path.weights(at: 0.5).distance(to: a) < 1e-6)
  }
}
