// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// The curve by which hidden units go from one network's to another's.
public enum UnitCurve: String, OptionChoice {
  /// The straight segment.
  case linear
  /// The arc around the mean over the units of both networks, which keeps the mean and the
  /// covariance of independent samples (Anokhin and Yarotsky 2020, section 3).
  case arc

  /// One stage in which all layers move at once.
  ///
  /// On the arc, with two weighted layers a unit is its incoming weights, bias and outgoing block.
  /// In deeper networks the samples are the rows of each layer with their biases. The output
  /// layer's bias is one sample of each network.
  ///
  /// So they are with two layers whose units belong to several groups, or are held.
  ///
  /// Running statistics of batch normalisations are no weights: they go along the line on the arc too, so
  /// that a variance stays between those of the ends.
  public func stage(from a: Weights, to b: Weights, label: String) throws -> PathStage {
    let network = a.network
    let population =
      network.weightedLayers.count == 2 ? try? HiddenPopulation(of: network, hidden: 0) : nil
    let motions = network.parameters.indices.map { index in
      let parameter = network.parameters[index]
      let pair = [a[index], b[index]]
      if !parameter.isTrained { return Motion.combination(pair, .line) }
      if let site = population?.outgoing.first(where: { $0.parameter == index }) {
        return motion(pair, mean: { pair.meanOfBlocks(site, parameter.shape, population) })
      }
      if parameter.layer == network.weightedLayers.last, parameter.role == .bias {
        return motion(pair, mean: { pair.meanOfSingles() })
      }
      return motion(pair, mean: { pair.meanOfRows() })
    }
    return PathStage(label: label, motions: motions)
  }

  /// The motion of one hidden layer's units: of the layer's own parameters, and of the next
  /// layer's weights.
  /// - Throws: ``PopulationError`` if the layer's units can't be told apart.
  public func motion(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights
  ) throws -> LayerMotion {
    let population = try HiddenPopulation(of: a.network, layer: layer)
    var motions: [Int: Motion] = [:]
    for index in a.network.parameterIndices(ofLayer: layer) {
      let pair = [a[index], b[index]]
      motions[index] = motion(pair, mean: { pair.meanOfRows() })
    }
    for site in population.outgoing {
      let pair = [a[site.parameter], b[site.parameter]]
      let shape = a.network.parameters[site.parameter].shape
      motions[site.parameter] = motion(
        pair, mean: { pair.meanOfBlocks(site, shape, population) })
    }
    return LayerMotion(motions)
  }

  private func motion(_ pair: [Tensor], mean: () -> Tensor) -> Motion {
    switch self {
    case .linear: .combination(pair, .line)
    case .arc: .combination([mean()] + pair, .arc)
    }
  }
}

extension [Tensor] {
  /// The mean over units where a layer reads these alone; over rows where it reads others too.
  fileprivate func meanOfBlocks(
    _ site: UnitGroup.Site, _ shape: Shape, _ population: HiddenPopulation?
  ) -> Tensor {
    guard let population, site.axis == 1, site.rows == nil,
      shape[1] == population.count * site.block
    else { return meanOfRows() }
    return meanOfBlocks(count: population.count, width: shape.rowCount / population.count)
  }

  /// The mean of tensors each of which is one sample.
  fileprivate func meanOfSingles() -> Tensor {
    guard let shape = first?.shape else { return Tensor(zeros: [0]) }
    return Tensor.combination(self, coefficients: map { _ in 1 / Double(count) }, shape: shape)
  }
}
