// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics
import LCWPaths

/// The arc μ + cos(πt/2)(A − μ) + sin(πt/2)(B − μ), which preserves the distribution of neurons.
///
/// Anokhin and Yarotsky 2020, section 3: if the neurons of A and B are independent samples of a
/// Gaussian, so is every point of the arc, whereas the straight segment squeezes them. μ is the
/// mean over the neurons of both networks.
///
/// With two weighted layers a neuron is a hidden unit's incoming weights, bias and outgoing
/// block. Deeper networks move all layers at once, and the samples are the rows of each layer with
/// their biases. The output layer's bias is one sample for each network.
public struct Arc: ConnectionMethod {
  /// `arc`
  public static let name = "arc"
  /// What it is.
  public static let summary = "the arc that keeps a Gaussian distribution of neurons"
  /// As cheap as the segment, with a lower loss.
  public static let traits = MethodTraits(
    compute: .low, complexity: .low, isExplicit: true, loss: .medium, isLearnable: false,
    needsData: false)

  /// The method; it takes no options.
  public init(options: OptionValues) throws {}

  /// The arc.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let network = a.network
    let population =
      network.weightedLayers.count == 2 ? try HiddenPopulation(of: network, hidden: 0) : nil
    let motions = network.parameters.indices.map { index in
      Motion.combination(
        [Arc.mean(of: a, and: b, parameter: index, population), a[index], b[index]], .arc)
    }
    return try ExplicitPath(network: network, stages: [PathStage(label: "arc", motions: motions)])
  }

  /// The mean over the neurons of both networks of what a parameter holds of each.
  private static func mean(
    of a: Weights, and b: Weights, parameter index: Int, _ population: HiddenPopulation?
  ) -> Tensor {
    let parameter = a.network.parameters[index]
    let isOutput = parameter.layer == a.network.weightedLayers.last
    if let population, index == population.outgoing {
      return [a[index], b[index]].meanOfBlocks(
        count: population.count, width: population.blockWidth)
    }
    if isOutput && parameter.role == .bias {
      return Tensor.combination(
        [a[index], b[index]], coefficients: [0.5, 0.5], shape: parameter.shape)
    }
    return [a[index], b[index]].meanOfRows()
  }
}

@section("lcw_plugins") @used
let arcPlugin: PluginRecord = { $0.add(Arc.self) }
