// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFlows
import LCWNumerics
import Testing

/// Designs of both kinds, among them ones with fewer units than coordinates, several panels, odd
/// dimensions, and actnorms.
let smallDesigns: [TransformationDesign] = [
  TransformationDesign(kind: .realnvp, dimension: 7, layers: 3, hidden: 11),
  TransformationDesign(
    kind: .realnvp, dimension: 6, layers: 4, hidden: 5, depth: 2, normalisation: .actnorm),
  TransformationDesign(kind: .iaf, dimension: 7, layers: 2, hidden: 15),
  TransformationDesign(
    kind: .iaf, dimension: 6, layers: 3, hidden: 4, depth: 2, normalisation: .actnorm),
  TransformationDesign(kind: .iaf, dimension: 2, layers: 2, hidden: 1),
  TransformationDesign(
    kind: .realnvp, dimension: 9, layers: 3, hidden: 8, axes: 2, incoming: 6),
  TransformationDesign(
    kind: .iaf, dimension: 8, layers: 2, hidden: 9, normalisation: .actnorm, axes: 3, incoming: 5),
  TransformationDesign(
    kind: .realnvp, dimension: 7, layers: 2, hidden: 6, axes: 7, incoming: 7),
]

/// Designs whose coordinates take several blocks and panels.
let largeDesigns: [TransformationDesign] = [
  TransformationDesign(kind: .realnvp, dimension: 131, layers: 3, hidden: 40),
  TransformationDesign(kind: .iaf, dimension: 131, layers: 2, hidden: 260),
  TransformationDesign(kind: .iaf, dimension: 230, layers: 2, hidden: 30, depth: 3),
  TransformationDesign(kind: .iaf, dimension: 200, layers: 2, hidden: 2),
  TransformationDesign(
    kind: .realnvp, dimension: 150, layers: 3, hidden: 60, axes: 40, incoming: 139),
]

struct TransformationTests {
  @Test(arguments: smallDesigns + largeDesigns)
  func `forward is the definition's, and the inverse undoes it`(
    design: TransformationDesign
  ) throws {
    let (nu, rows) = try randomTransformation(design, rows: 70)
    let reference = ReferenceTransformation(nu)
    for workers in [Workers(1), Workers(3)] {
      let z = try nu.forward(rows, workers: workers).rows
      for row in [0, 33, 69] {
        for (value, expected) in zip(z.row(row), reference.forward(rows.row(row).map(Double.init)))
        {
          #expect(abs(Double(value) - expected) < 1e-4 * (1 + abs(expected)))
        }
      }
      let back = try nu.inverse(z, workers: workers)
      #expect(back.squaredDistance(to: rows).squareRoot() < 1e-4 * norm(rows))
    }
  }

  @Test(arguments: smallDesigns)
  func `the logarithmic determinant is that of the numerical derivative`(
    design: TransformationDesign
  ) throws {
    let (nu, rows) = try randomTransformation(design)
    let reference = ReferenceTransformation(nu)
    let logs = try nu.forward(rows).logDeterminants
    for row in 0..<5 {
      let expected = reference.logDeterminant(at: rows.row(row).map(Double.init))
      #expect(abs(logs[row] - expected) < 1e-4 * (1 + abs(expected)))
    }
  }

  @Test
  func `no coordinate of an autoregressive layer sees a later one`() throws {
    let design = TransformationDesign(kind: .iaf, dimension: 100, layers: 1, hidden: 150, depth: 2)
    let (nu, rows) = try randomTransformation(design, rows: 4)
    var changed = rows
    for row in 0..<4 { changed.elements[row * 100 + 60] += 0.3 }
    let (z, other) = (try nu.forward(rows).rows, try nu.forward(changed).rows)
    for row in 0..<4 {
      // The layer leaves the coordinates in reverse order.
      let differing = (0..<100).filter {
        z.elements[row * 100 + 99 - $0] != other.elements[row * 100 + 99 - $0]
      }
      #expect(differing.first == 60)
      #expect(differing.count > 30)
    }
  }

  @Test(arguments: TransformationKind.allCases)
  func `a new transformation is the standardisation`(kind: TransformationKind) throws {
    let design = TransformationDesign(kind: kind, dimension: 9, layers: 2, hidden: 12)
    var random = RandomStream(seed: 3)
    let rows = random.normal([500, 9], deviation: 0.2)
    let nu = try Transformation(design, standardisedOn: [rows], seed: 1)
    let z = try nu.forward(rows).rows
    for column in 0..<9 {
      let values = (0..<500).map { Double(z.elements[$0 * 9 + column]) }
      let mean = values.reduce(0, +) / 500
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 500
      #expect(abs(mean) < 1e-4)
      #expect(abs(variance - 1) < 1e-3)
    }
  }

  @Test
  func `a coordinate that hardly varies is not blown up`() throws {
    let design = TransformationDesign(kind: .realnvp, dimension: 4, layers: 2, hidden: 4)
    var random = RandomStream(seed: 3)
    var rows = random.normal([100, 4])
    for row in 0..<100 { rows.elements[row * 4 + 2] = 0.25 }
    let nu = try Transformation(design, standardisedOn: [rows], seed: 1)
    #expect(nu.standardisation.deviation[2] > 0.005)
    var moved = rows
    moved.elements[2] += 1e-6
    #expect(try nu.forward(moved).rows.squaredDistance(to: nu.forward(rows).rows) < 1e-6)
    let constant = Tensor(repeating: 2, shape: [10, 4])
    let flat = try Transformation(design, standardisedOn: [constant], seed: 1)
    #expect(try flat.inverse(flat.forward(constant).rows).elements.allSatisfy { $0 == 2 })
  }

  @Test(arguments: smallDesigns)
  func `tensors and design make the same transformation again`(
    design: TransformationDesign
  ) throws {
    let (nu, rows) = try randomTransformation(design)
    #expect(try TransformationDesign(json: design.json) == design)
    let again = try Transformation(design) { name in
      try #require(nu.namedTensors.first { $0.name == name }).tensor
    }
    #expect(try again.forward(rows).rows.isIdentical(to: nu.forward(rows).rows))
  }

  @Test
  func `what can't be is refused`() throws {
    let rows = Tensor(zeros: [4, 3])
    var design = TransformationDesign(kind: .iaf, dimension: 3, layers: 1, hidden: 2)
    let nu = try Transformation(design, standardisedOn: [rows], seed: 0)
    #expect(throws: FlowError.dimension(expected: 3, found: 4)) {
      try nu.forward(Tensor(zeros: [2, 4]))
    }
    #expect(throws: FlowError.dimension(expected: 3, found: 4)) {
      try nu.inverse(Tensor(zeros: [2, 4]))
    }
    #expect(throws: FlowError.notFinite(rows: "the samples")) {
      try Transformation(
        design, standardisedOn: [Tensor(repeating: .nan, shape: [4, 3])], seed: 0)
    }
    #expect(throws: NetworkError.self) {
      try Transformation(design) { _ in StoredTensor(Tensor(zeros: [2])) }
    }
    design.depth = 9
    #expect(throws: FlowError.self) {
      try Transformation(design, standardisedOn: [rows], seed: 0)
    }
    #expect(throws: CheckpointError.self) { try TransformationDesign(json: nil) }
  }
}

/// The Euclidean norm of all values.
func norm(_ tensor: Tensor) -> Double {
  tensor.squaredDistance(to: Tensor(zeros: tensor.shape)).squareRoot()
}
