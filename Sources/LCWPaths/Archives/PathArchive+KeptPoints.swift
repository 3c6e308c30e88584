// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

// The metadata's `kept_points` lists the times; `kept/2/dense2.weight` is what was solved for at the
// second of them.
extension KeptPoints {
  private static let field = "kept_points"

  private static let folder = "kept"

  /// What an archive says of the points.
  var metadata: [String: JSONValue] {
    solutions.isEmpty ? [:] : [Self.field: .array(times.map { JSONValue($0) })]
  }

  /// The solutions, named for an archive.
  func tensors(of network: Network) -> [NamedTensor] {
    times.enumerated().flatMap { index, time in
      (solutions[time] ?? [:]).sorted { $0.key < $1.key }.map { parameter, tensor in
        NamedTensor(
          "\(Self.folder)/\(index + 1)/\(network.parameters[parameter].name)", StoredTensor(tensor))
      }
    }
  }

  /// The points that a source keeps; nothing if it keeps none.
  /// - Throws: ``CheckpointError`` if the times or the tensors' shapes are not those of a path of so many
  ///   stages, and what reading throws.
  init?(reading source: any CheckpointSource, _ network: Network, stages: Int) throws {
    guard let value = source.metadata[Self.field] else { return nil }
    let times = value.array?.compactMap(\.double) ?? []
    guard times.count == value.array?.count, Set(times).count == times.count,
      times.allSatisfy({ $0 > 0 && $0 < Double(stages) })
    else {
      throw CheckpointError.metadata(
        field: Self.field, expected: "a list of different times between 0 and \(stages)")
    }
    let parameters = Dictionary(
      network.parameters.enumerated().map { (Array($1.name.utf8), $0) }
    ) { first, _ in first }
    var solutions: [Double: Solution] = [:]
    for entry in source.entries {
      let parts = entry.name.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[0] == Self.folder, let number = Int(parts[1]),
        times.indices.contains(number - 1), let parameter = parameters[Array(parts[2].utf8)]
      else { continue }
      let shape = network.parameters[parameter].shape
      guard entry.shape == shape else {
        throw NetworkError.shape(parameter: entry.name, expected: shape, found: entry.shape)
      }
      let tensor = try source.floats(named: entry.name)
      guard tensor.isFinite else {
        throw CheckpointError.recorded(
          field: entry.name, problem: "it has numbers that are not finite")
      }
      solutions[times[number - 1], default: [:]][parameter] = tensor
    }
    self.init(solutions)
  }
}
