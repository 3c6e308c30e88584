// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// What an archive tells of a path's stages beside their motions: where a path has its middle, and which
/// points have the same loss, depends on it.
struct StageTraits {
  /// The stages, from 0, that keep the network's function.
  var keepsFunction: Set<Int>
  /// The stages, from 0, in which units only find their places.
  var restoresOrder: Set<Int>

  init(of stages: [PathStage]) {
    keepsFunction = Set(stages.indices.filter { stages[$0].keepsFunction })
    restoresOrder = Set(stages.indices.filter { stages[$0].restoresOrder })
  }

  /// - Throws: ``CheckpointError/metadata(field:expected:)`` if a field is there and not a list of stages.
  init(in metadata: [String: JSONValue], stages: Int) throws(CheckpointError) {
    func numbers(_ field: String) throws(CheckpointError) -> Set<Int> {
      guard let value = metadata[field] else { return [] }
      let numbers = value.array?.compactMap(\.integer) ?? []
      guard numbers.count == value.array?.count, numbers.allSatisfy((1...stages).contains) else {
        throw .metadata(field: field, expected: "a list of stages from 1 to \(stages)")
      }
      return Set(numbers.map { $0 - 1 })
    }
    keepsFunction = try numbers("keeps_function")
    restoresOrder = try numbers("restores_order")
  }

  /// The fields of the metadata; none for what no stage does.
  var metadata: [String: JSONValue] {
    [("keeps_function", keepsFunction), ("restores_order", restoresOrder)]
      .reduce(into: [:]) { fields, trait in
        guard !trait.1.isEmpty else { return }
        fields[trait.0] = .array(trait.1.sorted().map { .integer($0 + 1) })
      }
  }
}

extension ExplicitPath {
  /// The random inputs on which a stage has to keep its outputs, and the times within it.
  private static let probes = 4
  private static let times = [0.0, 0.37, 1.0]

  /// Checks of the stages that are said to keep the function that they do, on random inputs: a file may say
  /// what is not so, and an evaluation would look at one point of them alone.
  /// - Throws: ``CheckpointError/metadata(field:expected:)`` if outputs move by more than rounding.
  func checkKeptFunctions() throws {
    let kept = stages.indices.filter { stages[$0].keepsFunction }
    guard !kept.isEmpty else { return }
    var random = RandomStream(seed: 0)
    let inputs = random.normal(Shape([Self.probes] + network.shape(of: .sample).dimensions))
    let runner = try Runner(network)
    for stage in kept {
      let outputs = try Self.times.map {
        runner.output(of: inputs, weights: try weights(at: Double(stage) + $0))
      }
      let size = outputs[0].elements.reduce(0) { max($0, abs($1)) }
      let moved = outputs.dropFirst().flatMap { zip($0.elements, outputs[0].elements) }
        .reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
      // Outputs that are no numbers are found by the evaluation.
      if moved > 1e-3 * max(size, .leastNormalMagnitude) {
        throw CheckpointError.metadata(
          field: "keeps_function",
          expected: "stages along which outputs stay; those of stage \(stage + 1) do not")
      }
    }
  }
}
