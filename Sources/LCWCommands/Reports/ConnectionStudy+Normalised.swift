// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWPaths
import LCWReport

extension ConnectionStudy {
  /// The neurons of A and B as learned connections see them, beside a standard normal sample; nothing
  /// if no method has such a picture.
  var normalisedSection: Report.Section? {
    get throws {
      let blocks = try entries.flatMap { entry in
        try entry.normalised.map { try Self.blocks(entry.name, $0) } ?? []
      }
      guard !blocks.isEmpty else { return nil }
      return Report.Section(title: "The transformed neurons", blocks: blocks)
    }
  }

  private static func blocks(
    _ name: String, _ neurons: (a: Tensor, b: Tensor)
  ) throws -> [Report.Block] {
    let dimension = neurons.a.shape.rowCount
    guard dimension >= 2, dimension <= PrincipalPlane.practicalDimension,
      neurons.a.isFinite, neurons.b.isFinite
    else { return [] }
    let plane = try PrincipalPlane(of: [neurons.a, neurons.b])
    var random = RandomStream(seed: 1)
    let normal = random.normal(neurons.a.shape)
    func panel(_ title: String, _ group: String, _ rows: Tensor) -> ScatterChart.Panel {
      ScatterChart.Panel(
        title: title,
        groups: [
          .init(name: group, points: plane.coordinates(of: rows).map { ChartPoint($0.x, $0.y) })
        ])
    }
    return [
      .paragraph(
        "\(name) joins networks in a transformed space, where a neuron's \(dimension) numbers "
          + "should be independent and standard normal. The chart shows the transformed neurons of A "
          + "and B on their first two principal components, \(deviation(neurons, plane)), next to as "
          + "many samples of a standard normal distribution, projected likewise."),
      .chart(
        ScatterChart(
          title: "Neurons behind the transformation of \(name)", xLabel: "first component",
          yLabel: "second component",
          panels: [
            panel("A", "neurons of A", neurons.a), panel("B", "neurons of B", neurons.b),
            panel("standard normal", "normal sample", normal),
          ], hasEqualScales: true)),
    ]
  }

  private static func deviation(
    _ neurons: (a: Tensor, b: Tensor), _ plane: PrincipalPlane
  ) -> String {
    let points = plane.coordinates(of: neurons.a) + plane.coordinates(of: neurons.b)
    let count = Double(max(1, points.count))
    let x = (points.reduce(0) { $0 + $1.x * $1.x } / count).squareRoot()
    let y = (points.reduce(0) { $0 + $1.y * $1.y } / count).squareRoot()
    return "with standard deviations \(String(x, decimals: 2)) and \(String(y, decimals: 2))"
  }
}
