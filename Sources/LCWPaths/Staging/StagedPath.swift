// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// Paths one after the other, each of which starts where the one before it ends.
public struct StagedPath: ConnectionPath {
  /// The network whose weights move.
  public let network: Network
  /// The stages of all parts.
  public let stages: [PathStage]
  /// What was told of the making.
  public let remarks: [PathRemark]
  private let parts: [any ConnectionPath]
  /// The part and its own stage for each stage of the whole.
  private let places: [(part: Int, stage: Int)]

  /// A path of parts of one network.
  /// - Parameter remarks: What to tell besides the parts' own remarks.
  public init(joining parts: [any ConnectionPath], remarks: [PathRemark] = []) throws(PathError) {
    guard let network = parts.first?.network else { throw .noStages }
    precondition(parts.allSatisfy { $0.network == network }, "the parts are of several networks")
    self.network = network
    self.parts = parts
    self.remarks = parts.flatMap(\.remarks) + remarks
    stages = parts.flatMap(\.stages)
    places = parts.enumerated().flatMap { part, path in
      path.stages.indices.map { (part, $0) }
    }
    guard !places.isEmpty else { throw .noStages }
  }

  /// The point at t.
  public func weights(at t: Double) throws -> Weights {
    let (part, time) = place(of: t)
    return try parts[part].weights(at: time)
  }

  /// The points at several t; those in one part are asked for together.
  public func weights(atEach times: [Double]) throws -> [Weights] {
    var results = [Weights?](repeating: nil, count: times.count)
    let places = times.map(place)
    for part in parts.indices {
      let indices = times.indices.filter { places[$0].part == part }
      guard !indices.isEmpty else { continue }
      let points = try parts[part].weights(atEach: indices.map { places[$0].time })
      for (index, weights) in zip(indices, points) { results[index] = weights }
    }
    return results.compactMap(\.self)
  }

  private func place(of t: Double) -> (part: Int, time: Double) {
    let (stage, time) = position(of: t)
    return (places[stage].part, Double(places[stage].stage) + time)
  }
}
