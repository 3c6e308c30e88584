// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWPaths
import LCWReport

extension ConnectionStudy {
  /// What the hidden units of each layer are like along each path; nothing if that was not asked for, or
  /// there are no such layers.
  var layerTable: Table? {
    let found = entries.compactMap(\.layers)
    guard let samples = found.map(\.samples).max(), found.contains(where: { !$0.layers.isEmpty })
    else { return nil }
    var table = Table(columns: [
      .init("path"), .init("layer"), .init("units", alignment: .number),
      .init("variance ratio in the middle", key: "middle_variance_ratio", alignment: .number),
      .init("lowest", key: "lowest_variance_ratio", alignment: .number),
      .init("at t", key: "lowest_variance_ratio_t", alignment: .number),
      .init("correlation of matched units", key: "matched_correlation", alignment: .number),
      .init("silent units", key: "silent_units", alignment: .number),
    ])
    for entry in entries {
      guard let layers = entry.layers else { continue }
      for layer in layers.layers {
        let lowest = layer.lowestVarianceRatio(in: layers)
        table.append([
          .text(entry.name), .text(layer.name), .integer(layer.units),
          .figure(layer.varianceRatioInMiddle), .figure(lowest?.ratio),
          lowest.map { .number($0.t, decimals: 3) } ?? .empty, .figure(layer.correlation),
          .integer(layer.silentUnits),
        ])
      }
    }
    table.notes = [
      "Variance ratio: a unit's standard deviation before the activation, divided by the value "
        + "interpolated between both networks; mean over a layer's units. Far below 1 means variance "
        + "collapse. Correlation of matched units: the correlation of a unit of the first network with the "
        + "unit of the second that the path moves to its place; mean over units. Silent units do not vary "
        + "in one of the two networks. Measured on \(samples) training samples."
    ]
    return table
  }

  /// The variance ratio of each layer at every point of the grid at which units move.
  var layerPointTable: Table {
    var table = Table(columns: [
      .init("path"), .init("t", alignment: .number), .init("layer"),
      .init("variance_ratio", alignment: .number),
    ])
    for entry in entries {
      guard let layers = entry.layers else { continue }
      for (index, t) in layers.times.enumerated() {
        for layer in layers.layers {
          table.append([
            .text(entry.name), .number(t, decimals: 3), .text(layer.name),
            .figure(layer.varianceRatios[index]),
          ])
        }
      }
    }
    return table
  }
}

extension LayerDiagnostics.Layer {
  /// The lowest variance ratio of all points that were measured.
  fileprivate func lowestVarianceRatio(
    in found: LayerDiagnostics
  ) -> (ratio: Double, t: Double)? {
    zip([varianceRatioInMiddle] + varianceRatios, [found.middle] + found.times)
      .compactMap { ratio, t in ratio.map { (ratio: $0, t: t) } }
      .min { $0.ratio < $1.ratio }
  }
}

extension Table.Cell {
  /// A figure, if there is one.
  fileprivate static func figure(_ value: Double?) -> Table.Cell {
    value.map { .number($0, decimals: 4) } ?? .empty
  }
}
