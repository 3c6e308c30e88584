// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// A path on which no running variance of a batch normalisation falls below the smallest that its layer has
/// in either network: a curve other than a line may leave what lies between its ends, and nothing is
/// normalised by the root of a negative number.
struct VariancePath: ConnectionPath {
  private let path: any ConnectionPath
  /// The smallest value of each parameter that has one, by its index.
  private let floors: [Int: Float]
  let stages: [PathStage]

  /// The path itself where its motions stay between their ends.
  static func bounding(
    _ path: any ConnectionPath, from a: Weights, to b: Weights
  ) -> any ConnectionPath {
    let variances = path.network.parameters.indices.filter { index in
      let parameter = path.network.parameters[index]
      return parameter.role == .variance && !parameter.isTrained
    }
    let floors = Dictionary(
      uniqueKeysWithValues: variances.compactMap { index in
        (a[index].elements + b[index].elements).min().map { (index, $0) }
      })
    let isSafe = path.stages.allSatisfy { stage in
      floors.allSatisfy { index, floor in
        stage.motions.indices.contains(index) && stage.motions[index].stays(above: floor)
      }
    }
    return isSafe ? path : VariancePath(path, floors: floors)
  }

  private init(_ path: any ConnectionPath, floors: [Int: Float]) {
    self.path = path
    self.floors = floors
    stages = path.stages.map { stage in
      var stage = stage
      for (index, floor) in floors where stage.motions.indices.contains(index) {
        if !stage.motions[index].stays(above: floor) { stage.motions[index] = .opaque }
      }
      return stage
    }
  }

  var network: Network { path.network }
  var remarks: [PathRemark] { path.remarks }

  func weights(at t: Double) throws -> Weights { bounded(try path.weights(at: t)) }

  func weights(atEach times: [Double]) throws -> [Weights] {
    try path.weights(atEach: times).map(bounded)
  }

  private func bounded(_ point: Weights) -> Weights {
    var point = point
    for (index, floor) in floors where point[index].elements.contains(where: { $0 < floor }) {
      point[index].elements = point[index].elements.map { max($0, floor) }
    }
    return point
  }
}

extension Motion {
  /// Whether no value of it falls below a number, as its form tells.
  fileprivate func stays(above floor: Float) -> Bool {
    func isAbove(_ tensor: Tensor) -> Bool { tensor.elements.allSatisfy { $0 >= floor } }
    switch self {
    case .fixed(let tensor): return isAbove(tensor)
    case .combination(let bases, let curve): return curve.isConvex && bases.allSatisfy(isAbove)
    case .opaque: return false
    }
  }
}

extension Curve {
  /// Whether no coefficient is negative, so that every point lies between the tensors.
  fileprivate var isConvex: Bool {
    switch self {
    case .line, .chain, .bezier: true
    case .arc: false
    }
  }
}
