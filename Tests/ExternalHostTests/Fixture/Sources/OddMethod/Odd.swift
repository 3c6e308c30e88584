import LCWCore

/// From A to B by way of the origin.
struct Odd: ConnectionMethod {
  static let name = "odd"
  static let summary = "from A to B by way of zero"
  static let traits = MethodTraits(
    compute: .low, complexity: .low, isExplicit: true, loss: .high, isLearnable: false,
    needsData: false)

  init(options: OptionValues) throws {}

  func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let zero = Weights(zeros: a.network)
    let motions = a.tensors.indices.map {
      Motion.combination([a[$0], zero[$0], b[$0]], .chain(points: 3))
    }
    return try ExplicitPath(network: a.network, stages: [PathStage(label: "odd", motions: motions)])
  }
}

@section("lcw_plugins") @used
let oddPlugin: PluginRecord = { $0.add(Odd.self) }
