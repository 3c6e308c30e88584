// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

@Suite struct CurveTests {
  static let curves: [Curve] = [
    .line, .arc, .chain(points: 2), .chain(points: 3), .chain(points: 7), .bezier(points: 2),
    .bezier(points: 3), .bezier(points: 9), .bezier(points: 64),
  ]

  @Test(arguments: curves) func coefficientsSumToOne(curve: Curve) {
    for step in 0...200 {
      let coefficients = curve.coefficients(at: Double(step) / 200)
      #expect(coefficients.count == curve.count)
      #expect(abs(coefficients.reduce(0, +) - 1) < 1e-12)
    }
  }

  @Test(arguments: curves) func theEndsAreExact(curve: Curve) {
    // An arc is around its first tensor, which stands at neither end.
    let first = curve == .arc ? 1 : 0
    for (t, index) in [(0.0, first), (1.0, curve.count - 1)] {
      #expect(curve.coefficients(at: t) == (0..<curve.count).map { $0 == index ? 1 : 0 })
    }
  }

  @Test(arguments: curves) func theCoefficientsAreContinuous(curve: Curve) {
    let steps = 2000
    for step in 1...steps {
      let before = curve.coefficients(at: Double(step - 1) / Double(steps))
      let after = curve.coefficients(at: Double(step) / Double(steps))
      #expect(zip(before, after).allSatisfy { abs($0 - $1) < 0.05 })
    }
  }

  @Test func formulas() {
    func expect(_ curve: Curve, _ t: Double, _ expected: [Double]) {
      let found = curve.coefficients(at: t)
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-15 }, "\(curve) \(found)")
    }
    expect(.line, 0.25, [0.75, 0.25])
    let root = 0.5.squareRoot()
    expect(.arc, 0.5, [1 - 2 * root, root, root])
    expect(.chain(points: 3), 0.25, [0.5, 0.5, 0])
    expect(.chain(points: 3), 0.5, [0, 1, 0])
    expect(.bezier(points: 3), 0.25, [0.5625, 0.375, 0.0625])
  }

  @Test(arguments: curves) func namesAreReadBack(curve: Curve) {
    #expect(Curve("\(curve)") == curve)
  }

  @Test(arguments: [
    "", "circle", "line 2", "arc 3", "chain", "chain 1", "chain 65", "chain -2", "bezier x",
    "bezier 3 3", "Line",
  ])
  func otherNamesAreNone(name: String) {
    #expect(Curve(name) == nil)
  }
}

@Suite struct PathTests {
  private let network: Network
  private let a: Weights
  private let b: Weights

  init() throws {
    network = try Network(inputShape: [3], layers: [.dense(outputs: 2, bias: true)])
    // Values that a formula in t would not give back: signs of zero, infinities, a NaN's payload.
    a = try Weights(
      network: network,
      tensors: [
        Tensor(
          [-0.0, 0.1, .leastNonzeroMagnitude, 3e38, Float(bitPattern: 0x7FC1_2345), -1],
          shape: [2, 3]),
        Tensor([1, -0.0]),
      ])
    b = try Weights(
      network: network,
      tensors: [
        Tensor([0.3, -0.0, .infinity, -3e38, 2, 7], shape: [2, 3]), Tensor([-0.0, 5]),
      ])
  }

  private func stage(_ motion: (Int) -> Motion) -> PathStage {
    PathStage(label: "stage", motions: network.parameters.indices.map(motion))
  }

  @Test(arguments: [Curve.line, .arc, .chain(points: 3), .bezier(points: 4)])
  func theEndsAreTheGivenWeightsToTheBit(curve: Curve) throws {
    let path = try ExplicitPath(
      network: network,
      stages: [
        stage { index in
          let middle = [Tensor](
            repeating: Tensor(repeating: .nan, shape: network.parameters[index].shape),
            count: curve.count - 2)
          return .combination(
            curve == .arc
              ? middle + [a[index], b[index]] : [a[index]] + middle + [b[index]], curve)
        }
      ])
    #expect(try path.weights(at: 0).isIdentical(to: a))
    #expect(try path.weights(at: 1).isIdentical(to: b))
    #expect(try path.weights(at: -3).isIdentical(to: a))
    #expect(try path.weights(at: 9).isIdentical(to: b))
  }

  @Test func stagesFollowEachOther() throws {
    let path = try ExplicitPath(
      network: network,
      stages: [
        stage { $0 == 0 ? .combination([a[0], b[0]], .line) : .fixed(a[1]) },
        stage { $0 == 1 ? .combination([a[1], b[1]], .line) : .fixed(b[0]) },
      ])
    #expect(path.domain == 0...2)
    #expect(try path.weights(at: 0).isIdentical(to: a))
    #expect(try path.weights(at: 2).isIdentical(to: b))
    let middle = try path.weights(at: 1)
    #expect(middle[0].isIdentical(to: b[0]) && middle[1].isIdentical(to: a[1]))
    let late = try path.weights(at: 1.5)
    #expect(late[1].elements == [0.5, 2.5])
  }

  @Test(arguments: [
    (0.0, 0, 0.0), (0.25, 0, 0.25), (1, 1, 0), (1.75, 1, 0.75), (2, 1, 1), (-1, 0, 0), (5, 1, 1),
  ])
  func positions(t: Double, stage index: Int, time: Double) throws {
    let fixed = stage { .fixed(a[$0]) }
    let position = try ExplicitPath(network: network, stages: [fixed, fixed]).position(of: t)
    #expect(position == (index, time))
  }

  @Test func aMeanMayBroadcast() throws {
    let path = try ExplicitPath(
      network: network,
      stages: [
        stage {
          $0 == 0
            ? .combination(
              [Tensor(repeating: 2, shape: [1, 3]), Tensor(repeating: 4, shape: [2, 1])], .line)
            : .fixed(a[1])
        }
      ])
    #expect(try path.weights(at: 0.5)[0] == Tensor(repeating: 3, shape: [2, 3]))
    #expect(try path.weights(at: 0)[0] == Tensor(repeating: 2, shape: [2, 3]))
  }

  @Test func whatDoesNotFitIsRefused() {
    func error(_ stages: [PathStage]) -> PathError? {
      #expect(throws: PathError.self) { try ExplicitPath(network: network, stages: stages) }
    }
    #expect(error([]) == .noStages)
    #expect(
      error([PathStage(label: "", motions: [.fixed(a[0])])])
        == .motionCount(stage: 0, expected: 2, found: 1))
    let good = stage { .fixed(a[$0]) }
    #expect(
      error([good, stage { $0 == 1 ? .opaque : .fixed(a[0]) }])
        == .opaque(stage: 1, parameter: "dense1.bias"))
    #expect(
      error([stage { _ in .fixed(a[1]) }])
        == .shape(stage: 0, parameter: "dense1.weight", expected: [2, 3], found: [2]))
    #expect(
      error([stage { .combination([a[$0]], .line) }])
        == .basisCount(stage: 0, parameter: "dense1.weight", expected: 2, found: 1))
    for shape: Shape in [[3], [1, 2], [2, 3, 1], [3, 3]] {
      #expect(
        error([stage { .combination([a[$0], Tensor(zeros: shape)], .line) }])
          == .shape(stage: 0, parameter: "dense1.weight", expected: [2, 3], found: shape))
    }
  }
}
