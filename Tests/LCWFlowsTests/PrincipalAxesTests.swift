// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFlows
import LCWNumerics
import Testing

/// Layers that move the leading principal axes of the incoming weights, and nothing of the others.
struct PrincipalAxesTests {
  private static let design = TransformationDesign(
    kind: .realnvp, dimension: 12, layers: 2, hidden: 10, axes: 3, incoming: 10)

  /// Rows whose first ten columns vary along three directions, by 5, 3 and 2, and along all others
  /// by 0.1; the last two columns by themselves.
  private static func rows(_ count: Int) -> (rows: Tensor, axes: [[Double]]) {
    var random = RandomStream(seed: 5)
    // Orthonormal: a cosine basis.
    let axes = (1...3).map { k -> [Double] in
      (0..<10).map { column -> Double in
        let angle = Double.pi * (Double(column) + 0.5) * Double(k) / 10
        return 0.2.squareRoot() * cos(angle)
      }
    }
    var values: [Float] = []
    for _ in 0..<count {
      let shares = [5, 3, 2].map { $0 * Double(random.normal([1]).elements[0]) }
      for column in 0..<10 {
        let sum = zip(axes, shares).reduce(0.0) { $0 + $1.0[column] * $1.1 }
        values.append(Float(sum) + 0.1 * random.normal([1]).elements[0] + 7)
      }
      values += random.normal([2]).elements
    }
    return (Tensor(values).reshaped([count, 12]), axes)
  }

  private static func part(_ range: Range<Int>, of rows: Tensor) -> Tensor {
    Tensor(Array(rows.elements[range.lowerBound * 12..<range.upperBound * 12]))
      .reshaped([range.count, 12])
  }

  @Test
  func `the axes are found, and become coordinates of variance one without correlations`() throws {
    let (rows, axes) = Self.rows(3000)
    // In parts, as the neurons of several networks are.
    let parts = [
      Self.part(0..<1000, of: rows), Self.part(1000..<3000, of: rows),
    ]
    let nu = try Transformation(Self.design, standardisedOn: parts, seed: 1)
    let z = try nu.forward(rows).rows
    for first in 0..<12 {
      for second in 0...first {
        var mean = 0.0
        for row in 0..<3000 {
          let (x, y) = (z.elements[row * 12 + first], z.elements[row * 12 + second])
          mean += Double(x) * Double(y) / 3000
        }
        // The two other columns and the axes are independent by chance only.
        #expect(
          abs(mean - (first == second ? 1 : 0)) < (first == second ? 1e-3 : 0.1),
          "\(first) and \(second): \(mean)")
      }
    }
    // A step along an axis moves one coordinate, and that by as much as it varies along it.
    let order = [0, 2, 4, 1, 3]
    for (index, (axis, deviation)) in zip(axes, [5.0, 3, 2]).enumerated() {
      let first = Self.part(0..<1, of: rows)
      var moved = first
      for column in 0..<10 { moved.elements[column] += Float(axis[column]) }
      let change = zip(
        try nu.forward(moved).rows.elements, try nu.forward(first).rows.elements
      ).map { abs(Double($0) - Double($1)) }
      let place = try #require(order.firstIndex(of: 2 + index))
      #expect(abs(change[place] - 1 / deviation) < 0.05 / deviation, "\(change)")
      #expect(change.indices.filter { $0 != place }.allSatisfy { change[$0] < 0.2 }, "\(change)")
    }
  }

  @Test
  func `layers neither see nor move the other axes`() throws {
    let (rows, _) = Self.rows(200)
    let plain = try Transformation(Self.design, standardisedOn: [rows], seed: 1)
    var random = RandomStream(seed: 2)
    let nu = try randomised(plain, strength: 1, &random)
    let (z, start) = (try nu.forward(rows).rows, try plain.forward(rows).rows)
    for row in 0..<200 {
      #expect(Array(z.row(row).suffix(7)) == Array(start.row(row).suffix(7)))
      #expect(Array(z.row(row).prefix(5)) != Array(start.row(row).prefix(5)))
    }
    // Rows that differ behind the layers in what does not move differ before them in nothing else.
    var image = z
    for row in 0..<200 { image.elements[row * 12 + 9] += 1 }
    let other = try plain.forward(try nu.inverse(image)).rows
    for row in 0..<200 {
      for column in 0..<12 {
        let change = other.elements[row * 12 + column] - start.elements[row * 12 + column]
        #expect(abs(change - (column == 9 ? 1 : 0)) < 1e-3, "\(row), \(column): \(change)")
      }
    }
  }

  @Test
  func `a model keeps its axes, and one without them is read as ever`() throws {
    let (rows, _) = Self.rows(200)
    var random = RandomStream(seed: 2)
    let nu = try randomised(
      Transformation(Self.design, standardisedOn: [rows], seed: 1), strength: 1, &random)
    let tensors = Dictionary(uniqueKeysWithValues: nu.namedTensors.map { ($0.name, $0.tensor) })
    let same = try Transformation(TransformationDesign(json: nu.design.json)) {
      try #require(tensors[$0])
    }
    #expect(same.design == Self.design)
    #expect(try same.forward(rows).rows == nu.forward(rows).rows)
    var older = nu.design.json.object ?? [:]
    older["axes"] = nil
    older["incoming"] = nil
    #expect(try TransformationDesign(json: .object(older)).axes == 0)
    #expect(throws: CheckpointError.self) {
      older["axes"] = .integer(3)
      _ = try TransformationDesign(json: .object(older))
    }
    // A reflection along nothing is none.
    #expect(throws: FlowError.self) {
      try Transformation(Self.design) { name in
        let tensor = try #require(tensors[name])
        return name == "reflections" ? StoredTensor(Tensor(zeros: tensor.shape)) : tensor
      }
    }
  }

  @Test
  func `there are fewer axes than samples`() throws {
    let few = Self.part(0..<3, of: Self.rows(3).rows)
    #expect(throws: FlowError.self) {
      try Transformation(Self.design, standardisedOn: [few], seed: 1)
    }
  }

  @Test
  func `a matrix that LAPACK has no integers for is refused`() {
    #expect(throws: FlowError.self) {
      try TransformationDesign(
        kind: .realnvp, dimension: 40_000, layers: 1, hidden: 4, axes: 2, incoming: 33_000
      ).check()
    }
  }

  @Test(arguments: [(axes: 11, incoming: 10), (axes: -1, incoming: 10), (axes: 2, incoming: 13)])
  func `there are no more axes than incoming weights`(design: (axes: Int, incoming: Int)) {
    #expect(throws: FlowError.self) {
      try TransformationDesign(
        kind: .iaf, dimension: 12, layers: 1, hidden: 4, axes: design.axes,
        incoming: design.incoming
      ).check()
    }
  }
}
