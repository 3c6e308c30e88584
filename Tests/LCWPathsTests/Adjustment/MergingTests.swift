// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import Testing

/// Layers in closed form, against the formulas written out.
struct MergingTests {
  static let networks = [
    "dense 9 no-bias; relu; dense 8 no-bias; relu; dense 4 no-bias",
    "dense 9; relu; dense 8; relu; dense 4",
    "first = dense 8; start = relu; dense 7; relu; second = dense 8; add from second start; relu; dense 4",
    "conv 4 3x3 pad 1; relu; conv 4 3x3 pad 1 groups 2; relu; global-avgpool; dense 4",
  ]

  private func pair(_ text: String) throws -> (a: Weights, b: Weights, samples: SampleSet) {
    let network = try NetworkText(text, operations: PluginRegistry.linked().operations)
      .network(inputShape: text.contains("conv") ? [2, 5, 5] : [6], classes: 4)
    return (
      try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2),
      try randomSamples(count: 300, shape: network.inputShape, classes: 4)
    )
  }

  /// The features of one part of a layer in a network, each with a 1 behind it if there is a bias.
  private func features(
    _ node: Int, _ weights: Weights, _ samples: SampleSet, part: Int, width: Int, ones: Bool
  ) throws -> [[Double]] {
    let network = weights.network
    let layer = try #require(network.nodes[node].operation as? any LinearOperation)
    let input = network.nodes[node].inputs[0]
    let rows = layer.featureRows(
      of: try Runner(network, from: [.sample], to: [input])
        .output(of: samples.block(0..<samples.count), weights: weights),
      input: network.shape(of: input), positions: nil, first: 0)
    return (0..<rows.shape.rows).map {
      rows.row($0).dropFirst(part * width).prefix(width).map(Double.init) + (ones ? [1] : [])
    }
  }

  /// The rows W that minimise Σ weight · (W x − y)² for several sets of samples; a tiny ridge as in the method.
  private func solution(
    _ sets: [(weight: Double, x: [[Double]], y: [[Double]])]
  ) throws -> [[Double]] {
    let width = sets[0].x[0].count
    var matrix = SymmetricMatrix(order: width)
    var right = [[Double]](
      repeating: [Double](repeating: 0, count: width), count: sets[0].y[0].count)
    for (weight, x, y) in sets {
      for (x, y) in zip(x, y) {
        for i in 0..<width {
          for j in i..<width { matrix[i, j] += weight * x[i] * x[j] }
          for target in y.indices { right[target][i] += weight * y[target] * x[i] }
        }
      }
    }
    return try matrix.solution(of: right)
  }

  @Test(arguments: networks, ["regmean", "pleas"])
  func `each layer is the formula's`(text: String, method: String) throws {
    let (a, b, samples) = try pair(text)
    let found = try path(
      "\(method):match=none,positions=0,ridge=1e-9", a, b, samples: samples)
    let network = a.network
    for t in [0.2, 0.5, 0.9] {
      let point = try found.weights(at: t)
      for node in network.weightedLayers.dropFirst() {
        let weight = try #require(network.parameterIndex(ofLayer: node, role: .weight))
        let bias = network.parameterIndex(ofLayer: node, role: .bias)
        let layer = try #require(network.nodes[node].operation as? any LinearOperation)
        let (width, each) = (point[weight].shape.rowCount, point[weight].shape.rows / layer.parts)
        for part in 0..<layer.parts {
          let rows = part * each..<(part + 1) * each
          let both = try [a, b].map { weights in
            let x = try features(
              node, weights, samples, part: part, width: width, ones: bias != nil)
            let own = rows.map { row in
              weights[weight].row(row).map(Double.init)
                + (bias.map { [Double(weights[$0].elements[row])] } ?? [])
            }
            return (x: x, y: x.map { x in own.map { zip($0, x).reduce(0) { $0 + $1.0 * $1.1 } } })
          }
          func mean(_ first: [[Double]], _ second: [[Double]]) -> [[Double]] {
            zip(first, second).map { zip($0, $1).map { (1 - t) * $0 + t * $1 } }
          }
          let expected =
            method == "regmean"
            ? try solution([(1 - t, both[0].x, both[0].y), (t, both[1].x, both[1].y)])
            : try solution([(1, mean(both[0].x, both[1].x), mean(both[0].y, both[1].y))])
          for (row, values) in zip(rows, expected) {
            for column in 0..<width {
              #expect(
                abs(Double(point[weight].row(row)[row * width + column]) - values[column]) < 5e-3)
            }
            if let bias { #expect(abs(Double(point[bias].elements[row]) - values[width]) < 5e-3) }
          }
        }
      }
      // The first layer has the same features in both networks.
      let first = Tensor.combination(
        [a[0], b[0]], coefficients: [1 - t, t], shape: network.parameters[0].shape)
      #expect(point[0].isIdentical(to: first))
    }
  }

  @Test(arguments: networks, ["weights", "activations", "none"])
  func `paths start at A and end at B, to the bit`(text: String, match: String) throws {
    let (a, b, samples) = try pair(text)
    for method in ["regmean", "regmean:shrink=0.5", "pleas", "pleas:bias=kept"] {
      let options = "match=\(match)"
      let found = try path(
        method + (method.contains(":") ? ",\(options)" : ":\(options)"), a, b, samples: samples)
      #expect(try found.weights(at: 0).isIdentical(to: a))
      #expect(try found.weights(at: found.domain.upperBound).isIdentical(to: b))
      #expect(try found.weights(at: 0.5).isFinite)
    }
  }

  /// Features of which all products are left out but the squares are what RegMean calls a diagonal.
  @Test func `with everything off the diagonal left out, inputs are weighted one by one`() throws {
    let (a, b, samples) = try pair(Self.networks[0])
    let point = try path(
      "regmean:match=none,ridge=0,shrink=0", a, b, samples: samples
    ).weights(at: 0.3)
    let squares = try [a, b].map { weights in
      let rows = try features(2, weights, samples, part: 0, width: 9, ones: false)
      return (0..<9).map { column in rows.reduce(0) { $0 + $1[column] * $1[column] } }
    }
    for row in 0..<8 {
      for column in 0..<9 {
        let (p, q) = (0.7 * squares[0][column], 0.3 * squares[1][column])
        guard p + q > 0 else { continue }
        let expected =
          (p * Double(a[1].elements[row * 9 + column]) + q * Double(b[1].elements[row * 9 + column]))
          / (p + q)
        #expect(abs(Double(point[1].elements[row * 9 + column]) - expected) < 1e-5)
      }
    }
  }

  @Test func `what is lacking is said`() throws {
    let (a, b, samples) = try pair(Self.networks[1])
    #expect(throws: ConnectionError.needsSamples(method: "regmean")) { try path("regmean", a, b) }
    #expect(throws: PluginError.self) { try path("regmean:shrink=2", a, b, samples: samples) }
    #expect(throws: PluginError.self) { try path("pleas:match=names", a, b, samples: samples) }
    #expect(throws: PluginError.self) { try path("pleas:shrink=0.5", a, b, samples: samples) }
  }
}
