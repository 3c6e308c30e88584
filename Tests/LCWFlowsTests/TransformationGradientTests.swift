// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFlows
import LCWNumerics
import Testing

/// Every vector-Jacobian product against central differences of fourth order: of single-precision
/// values, so that steps have to be large.
struct TransformationGradientTests {
  /// A linear function of rows, so that its gradient is known.
  private struct Probe {
    let weights: Tensor

    init(_ shape: Shape, seed: UInt64) {
      var random = RandomStream(seed: seed, stream: 7)
      weights = random.normal(shape)
    }

    func value(_ rows: Tensor) -> Double {
      zip(rows.elements, weights.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
  }

  /// Compares a gradient with differences at some places.
  private func check(
    _ gradient: Tensor, at places: [Int], _ what: String, step: Float = 3e-2,
    _ value: (Int, Float) throws -> Double
  ) throws {
    let scale = norm(gradient) / Double(gradient.count).squareRoot()
    for place in places {
      let near = try value(place, step) - value(place, -step)
      let far = try value(place, 2 * step) - value(place, -2 * step)
      let difference = (8 * near - far) / (12 * Double(step))
      let found = Double(gradient.elements[place])
      #expect(
        abs(found - difference) < 3e-3 * (abs(difference) + scale) + 2e-4,
        "\(what) at \(place): \(found), by differences \(difference)")
    }
  }

  private func someFew(_ places: [Int]) -> [Int] {
    let stride = max(1, places.count / 12)
    return places.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
  }

  /// What is not zero: masked weights are, and have no gradient.
  private func seen(_ tensor: Tensor) -> [Int] {
    tensor.elements.indices.filter { tensor.elements[$0] != 0 }
  }

  @Test(arguments: smallDesigns + largeDesigns)
  func `of forward`(design: TransformationDesign) throws {
    let (nu, all) = try randomTransformation(design)
    let rows = firstRows(5, of: all)
    let probe = Probe(rows.shape, seed: 3)
    let logWeights: [Float] = [0.3, -1.2, 0.8, 0.1, -0.5]
    func value(_ nu: Transformation, _ rows: Tensor) throws -> Double {
      let result = try nu.forward(rows)
      return probe.value(result.rows)
        + zip(logWeights, result.logDeterminants).reduce(0) { $0 + Double($1.0) * $1.1 }
    }
    var gradients = nu.zeroGradients
    let workers = Workers(2)
    let pass = try nu.forwardPass(rows, workers: workers)
    let input = try nu.backward(
      pass, gradient: probe.weights, logGradients: logWeights, into: &gradients, workers: workers)
    // A step in units of the coordinate's deviation, so that differences are of like size.
    let scaled = scale(input, by: nu.standardisation.deviation)
    try check(scaled, at: someFew(Array(0..<rows.count)), "rows") { place, step in
      var moved = rows
      moved.elements[place] += step * nu.standardisation.deviation[place % design.dimension]
      return try value(nu, moved)
    }
    for (index, parameter) in nu.parameters.enumerated() {
      let seen = seen(parameter)
      #expect(
        parameter.elements.indices.allSatisfy {
          parameter.elements[$0] != 0 || gradients[index].elements[$0] == 0
        }, "a masked weight has a gradient")
      try check(gradients[index], at: someFew(seen), "parameter \(index)") { place, step in
        var moved = nu
        moved.parameters[index].elements[place] += step
        return try value(moved, rows)
      }
    }
  }

  @Test(arguments: smallDesigns + largeDesigns)
  func `of the inverse`(design: TransformationDesign) throws {
    // Weak enough for an inverse that does not blow up the rounding of the coordinates.
    let (nu, all) = try randomTransformation(design, strength: 0.3)
    let z = try nu.forward(firstRows(5, of: all)).rows
    // Weights against the deviations, so that all coordinates count alike.
    let probe = Probe(z.shape, seed: 4)
    let weights = scale(probe.weights, by: nu.standardisation.deviation.map { 1 / $0 })
    func value(_ nu: Transformation, _ z: Tensor) throws -> Double {
      try zip(nu.inverse(z).elements, weights.elements).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
    var gradients = nu.zeroGradients
    let workers = Workers(2)
    let pass = try nu.inversePass(z, workers: workers)
    #expect(try pass.rows.isIdentical(to: nu.inverse(z, workers: workers)))
    let input = try nu.inverseBackward(
      pass, gradient: weights, into: &gradients, workers: workers)
    try check(input, at: someFew(Array(0..<z.count)), "rows") { place, step in
      var moved = z
      moved.elements[place] += step
      return try value(nu, moved)
    }
    for (index, parameter) in nu.parameters.enumerated() {
      #expect(
        parameter.elements.indices.allSatisfy {
          parameter.elements[$0] != 0 || gradients[index].elements[$0] == 0
        }, "a masked weight has a gradient")
      try check(gradients[index], at: someFew(seen(parameter)), "parameter \(index)") {
        place, step in
        var moved = nu
        moved.parameters[index].elements[place] += step
        return try value(moved, z)
      }
    }
  }

  @Test(arguments: smallDesigns)
  func `of the likelihood`(design: TransformationDesign) throws {
    let (nu, rows) = try randomTransformation(design, rows: 30)
    var gradients = nu.zeroGradients
    let sum = try nu.likelihoodGradient(of: rows, into: &gradients, workers: Workers(2))
    let densities = try nu.logDensities(of: rows)
    #expect(abs(sum - densities.reduce(0, +)) < 1e-6 * abs(sum))
    for (index, parameter) in nu.parameters.enumerated() {
      try check(gradients[index], at: someFew(seen(parameter)), "parameter \(index)", step: 4e-3) {
        place, step in
        var moved = nu
        moved.parameters[index].elements[place] += step
        return try -moved.logDensities(of: rows).reduce(0, +) / 30
      }
    }
  }

  @Test
  func `the density of the standardisation is the normal one`() throws {
    let design = TransformationDesign(kind: .iaf, dimension: 3, layers: 0, hidden: 1)
    let nu = try Transformation(design) { name in
      StoredTensor(Tensor(name == "mean" ? [1, 2, 3] : [0.5, 1, 2]))
    }
    let density = try nu.logDensities(of: Tensor([1, 2, 3, 1.5, 2, 1]).reshaped([2, 3]))
    let peak = -1.5 * log(2 * Double.pi)
    #expect(abs(density[0] - peak) < 1e-6)
    #expect(abs(density[1] - (peak - 1)) < 1e-6)
  }

  private func firstRows(_ count: Int, of rows: Tensor) -> Tensor {
    Tensor(Array(rows.elements.prefix(count * rows.shape.rowCount)))
      .reshaped([count, rows.shape.rowCount])
  }

  private func scale(_ rows: Tensor, by factors: [Float]) -> Tensor {
    var result = rows
    for index in 0..<rows.count { result.elements[index] *= factors[index % factors.count] }
    return result
  }
}
