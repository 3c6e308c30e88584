// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// All layers solved for at once, against a slow version that says what is meant.
struct JointAdjustmentTests {
  static let networks = [
    "dense 9; relu; dense 4", "dense 9; relu; dense 8 no-bias; relu; dense 4",
    """
    dense 8; start = relu; dense 7; relu; second = dense 8; add from second start; relu; dense 4
    """,
    // The skip connection's own layer comes last, and makes up for the other writer.
    """
    first = dense 8; start = relu; dense 7; relu; second = dense 6; skip = dense 6 from start
    add from second skip; relu; dense 4
    """,
    "conv 4 3x3 pad 1; relu; conv 6 3x3 stride 2 pad 1; relu; flatten; dense 4",
    """
    conv 4 3x3 pad 1; start = relu; conv 5 3x3 pad 1 no-bias; relu; second = conv 4 3x3 pad 1
    add from second start; relu; conv 4 3x3 pad 1 groups 2; relu; global-avgpool; dense 4
    """,
    "conv 4 3x3 pad 1; relu; conv 4 3x3 pad 1 groups 4; relu; conv 3 1x1; relu; flatten; dense 4",
  ]

  private func network(_ text: String) throws -> Network {
    let shape: Shape = text.contains("conv") ? [2, 5, 5] : [6]
    return try NetworkText(text, operations: PluginRegistry.linked().operations)
      .network(inputShape: shape, classes: 4)
  }

  private func pair(
    _ text: String, samples count: Int = 300
  ) throws -> (a: Weights, b: Weights, samples: SampleSet) {
    let network = try network(text)
    return (
      try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2),
      try randomSamples(count: count, shape: network.inputShape, classes: 4)
    )
  }

  @Test(arguments: networks)
  func `each layer is the solution for the features before it`(text: String) throws {
    let (a, b, samples) = try pair(text)
    let found = try path("linear+wa:layers=all,positions=0,ridge=0.001", a, b, samples: samples)
    #expect(found.stages.map(\.label) == ["all layers move"])
    for (t, point) in zip([0.2, 0.5, 0.9], try found.weights(atEach: [0.2, 0.5, 0.9])) {
      let expected = try ObviousAdjustment(a: a, b: b, samples: samples, ridge: 0.001).point(at: t)
      for (index, parameter) in a.network.parameters.enumerated() {
        let difference = point[index].squaredDistance(to: expected[index]).squareRoot()
        #expect(difference < 1e-3, "\(parameter.name) at \(t) is off by \(difference)")
      }
    }
  }

  /// A layer with fewer samples than the one behind it: what was kept for it does not do.
  @Test func `features come from the samples where those kept are too few`() throws {
    let text = "conv 4 3x3 pad 1; relu; conv 6 3x3 pad 1; relu; flatten; dense 4"
    let (a, b, samples) = try pair(text, samples: 1200)
    let found = try path(
      "linear+wa:layers=all,positions=0,patches=30,ridge=0.001", a, b, samples: samples)
    let expected = try ObviousAdjustment(
      a: a, b: b, samples: samples, ridge: 0.001, imagesOfConvolutions: 1000
    ).point(at: 0.5)
    let point = try found.weights(at: 0.5)
    for index in a.network.parameters.indices {
      #expect(point[index].squaredDistance(to: expected[index]).squareRoot() < 1e-3)
    }
  }

  @Test(arguments: networks, ["linear", "arc", "ot", "ot:path=arc"])
  func `a path starts at A and ends at B, to the bit, and its evaluations agree`(
    text: String, method: String
  ) throws {
    let (a, b, samples) = try pair(text, samples: 100)
    let found = try path("\(method)+wa:layers=all", a, b, samples: samples)
    let end = found.domain.upperBound
    #expect(try found.weights(at: 0).isIdentical(to: a))
    #expect(try found.weights(at: end).isIdentical(to: b))
    let times = [0, 0.3, 0.7, 1, end]
    let structured = try PathEvaluator().evaluate(found, at: times, on: samples)
    let obvious = try PathEvaluator(strategy: .pointByPoint).evaluate(found, at: times, on: samples)
    for (x, y) in zip(structured, obvious) { #expect(abs(x.crossEntropy - y.crossEntropy) < 1e-4) }
  }

  /// Between two layers there is no difference between one layer at a time and all of them.
  @Test func `with two layers adjusting to the mean is the same layer by layer`() throws {
    let (a, b, samples) = try pair(Self.networks[0])
    for method in ["linear", "arc"] {
      let each = try path("\(method)+wa:target=mix", a, b, samples: samples)
      let all = try path("\(method)+wa:layers=all", a, b, samples: samples)
      #expect(each.stages.map(\.label) == ["dense1 moves"])
      for t in [0.25, 0.6, 0.95] {
        #expect(try each.weights(at: t).distance(to: all.weights(at: t)) < 1e-3)
      }
      #expect(try each.weights(at: 0).isIdentical(to: a))
      #expect(try each.weights(at: 1).isIdentical(to: b))
    }
  }

  @Test func `in a deep network the mean spares the last stage`() throws {
    let (a, b, samples) = try pair(Self.networks[1])
    for method in ["linear", "arc", "ot"] {
      let found = try path("\(method)+wa:target=mix", a, b, samples: samples)
      #expect(
        found.stages.map(\.label).prefix(3) == [
          "dense1 moves", "dense3 is adjusted", "dense2 moves",
        ])
      #expect(try found.weights(at: 0).isIdentical(to: a))
      #expect(try found.weights(at: found.domain.upperBound).isIdentical(to: b))
    }
    #expect(try path("linear+wa:target=mix", a, b, samples: samples).stages.count == 3)
  }

  @Test func `a stream is refused layer by layer, and the message says what takes it`() throws {
    let (a, b, samples) = try pair(Self.networks[2])
    for method in ["linear+wa", "ot+bfly"] {
      let error = #expect(throws: ConnectionError.self) {
        try path(method, a, b, samples: samples)
      }
      #expect(error?.description.contains("wa:layers=all") == true)
    }
  }

  @Test(arguments: ["layers=some", "target=second", "refit=yes"])
  func `other values are refused with those there are`(option: String) throws {
    let (a, b, samples) = try pair(Self.networks[0])
    let error = #expect(throws: PluginError.self) {
      try path("linear+wa:\(option)", a, b, samples: samples)
    }
    #expect(error?.description.contains("one of") == true)
  }
}

/// Layer after layer from sums written out: what the adjustment of all layers means.
private struct ObviousAdjustment {
  var a: Weights
  var b: Weights
  var samples: SampleSet
  var ridge: Double
  /// The first samples that convolutions look at; all if there is no number.
  var imagesOfConvolutions: Int?

  func point(at t: Double) throws -> Weights {
    let network = a.network
    var point = a
    for (index, parameter) in network.parameters.enumerated() {
      point[index] = Tensor.combination(
        [a[index], b[index]], coefficients: [1 - t, t], shape: parameter.shape)
    }
    var isFirst = true
    for node in network.weightedLayers {
      if isFirst { isFirst = false } else { try solve(node, of: &point, at: t) }
    }
    return point
  }

  private func value(_ value: Network.Value, _ weights: Weights, _ count: Int) throws -> Tensor {
    try Runner(a.network, from: [.sample], to: [value])
      .output(of: samples.block(0..<count), weights: weights)
  }

  private func solve(_ node: Int, of point: inout Weights, at t: Double) throws {
    let network = a.network
    let layer = try #require(network.nodes[node].operation as? any LinearOperation)
    let (input, shape) = (network.nodes[node].inputs[0], network.shapes[node + 1])
    let count = shape.rank == 3 ? imagesOfConvolutions ?? samples.count : samples.count
    /// What the network puts out at the layer, or at the sum behind it, and at the sum without the layer.
    func outputs(_ weights: Weights) throws -> (whole: Tensor, rest: Tensor?) {
      let own = Network.Value.output(ofNode: node)
      let sum = network.nodes.firstIndex {
        $0.inputs.contains(own) && type(of: $0.operation).name == "add"
      }
      guard let sum else { return (try value(own, weights, count), nil) }
      let others = network.nodes[sum].inputs.filter { $0 != own }
      // Whatever is computed behind the layer makes up for this one itself.
      guard others.allSatisfy({ $0 < own }) else { return (try value(own, weights, count), nil) }
      return (try value(.output(ofNode: sum), weights, count), try value(others[0], weights, count))
    }
    let (ofA, ofB, now) = (try outputs(a), try outputs(b), try outputs(point))
    let features = layer.featureRows(
      of: try value(input, point, count), input: network.shape(of: input), positions: nil, first: 0)
    let weight = try #require(network.parameterIndex(ofLayer: node, role: .weight))
    let bias = network.parameterIndex(ofLayer: node, role: .bias)
    let (positions, outputs) = (shape.rowCount, shape.rows)
    let (width, each) = (point[weight].shape.rowCount, outputs / layer.parts)
    for output in 0..<outputs {
      let first = output / each * width
      var (gram, right) = (
        SymmetricMatrix(order: width + 1), [Double](repeating: 0, count: width + 1)
      )
      for row in 0..<features.shape.rows {
        let place = (row / positions) * outputs * positions + output * positions + row % positions
        // The sum as it is now has the interpolated layer in it.
        let lack =
          (1 - t) * Double(ofA.whole.elements[place]) + t * Double(ofB.whole.elements[place])
          - Double(now.whole.elements[place])
        let x = features.row(row).dropFirst(first).prefix(width).map(Double.init) + [1]
        for i in 0...width {
          right[i] += lack * x[i]
          for j in i...width { gram[i, j] += x[i] * x[j] }
        }
      }
      let change = try change(gram, right, hasBias: bias != nil)
      for column in 0..<width {
        point[weight].elements[output * width + column] += Float(change[column])
      }
      if let bias { point[bias].elements[output] += Float(change[width]) }
    }
  }

  /// The change of one output's weights, and of its bias behind them.
  private func change(_ gram: SymmetricMatrix, _ right: [Double], hasBias: Bool) throws -> [Double]
  {
    let width = right.count - 1
    let count = gram[width, width]
    var (matrix, vector) = (SymmetricMatrix(order: width), Array(right.dropLast()))
    for i in 0..<width {
      if hasBias { vector[i] -= right[width] * gram[i, width] / count }
      for j in i..<width {
        matrix[i, j] = gram[i, j] - (hasBias ? gram[i, width] * gram[j, width] / count : 0)
      }
    }
    matrix.addToDiagonal(ridge * matrix.trace / Double(width))
    let weights = try matrix.solution(of: [vector])[0]
    let fitted = (0..<width).reduce(0) { $0 + weights[$1] * gram[$1, width] }
    return weights + [(right[width] - fitted) / count]
  }
}
