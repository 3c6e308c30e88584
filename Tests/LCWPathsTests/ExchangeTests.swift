// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// Paths on which units change hands.
struct ExchangeTests {
  private func pair(_ network: Network) throws -> (Weights, Weights) {
    (try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2))
  }

  private static let methods = [
    "exchange", "exchange:blocks=3,order=random", "exchange:blocks=5,order=matched",
    "exchange:order=importance", "exchange:blocks=4,order=greedy", "exchange:target=first",
    "exchange:blocks=1", "exchange:ridge=0,order=random", "exchange:blocks=3,refit=labels",
    "exchange:blocks=2,order=random,refit=labels,target=first",
  ]

  private func expectLaws(_ path: any ConnectionPath, _ a: Weights, _ b: Weights) throws {
    #expect(try path.weights(at: 0).isIdentical(to: a))
    #expect(try path.weights(at: path.domain.upperBound).isIdentical(to: b))
    for stage in 1..<path.stages.count {
      let joint = Double(stage)
      let (before, behind) = (
        try path.weights(at: joint - 1e-7), try path.weights(at: joint)
      )
      #expect(before.isFinite && behind.isFinite)
      #expect(before.distance(to: behind) <= 1e-4 * (1 + a.distance(to: b)))
    }
  }

  @Test(arguments: methods)
  func
    `of two layers the loss is convex along every piece, and no point's is larger than the states'`(
      method: String
    ) throws
  {
    let network = try denseNetwork([7, 24, 5])
    let (a, b) = try pair(network)
    let samples = try randomSamples(count: 400, shape: [7], classes: 5)
    let path = try path(method, a, b, samples: samples)
    try expectLaws(path, a, b)
    #expect(path.lossBounds != nil)
    let evaluator = PathEvaluator(strategy: .pointByPoint)
    let parts = 16
    let states = try evaluator.evaluate(
      path, at: (0...path.stages.count).map(Double.init), on: samples)
    let largest = states.map(\.crossEntropy).max() ?? 0
    for stage in path.stages.indices {
      let times = (0...parts).map { Double(stage) + Double($0) / Double(parts) }
      let losses = try evaluator.evaluate(path, at: times, on: samples).map(\.crossEntropy)
      let rounding = 1e-6 * (1 + largest)
      switch path.lossBound(ofStage: stage) {
      case .constant: #expect(losses.allSatisfy { abs($0 - losses[0]) < rounding })
      case .convex:
        for index in 1..<parts {
          #expect(2 * losses[index] <= losses[index - 1] + losses[index + 1] + rounding)
        }
      case nil: Issue.record("stage \(stage + 1) is bounded by nothing")
      }
      #expect(losses.allSatisfy { $0 <= max(losses[0], losses[parts]) + rounding })
      #expect(losses.allSatisfy { $0 <= largest + rounding })
    }
  }

  @Test(arguments: methods)
  func `evaluation needs the states alone and says so`(method: String) throws {
    let network = try denseNetwork([7, 24, 5])
    let (a, b) = try pair(network)
    let samples = try randomSamples(count: 300, shape: [7], classes: 5)
    let path = try path(method, a, b, samples: samples)
    let data = EvaluationData(train: samples, test: samples.prefix(100))
    let found = try PathEvaluator().evaluate(path, on: data)
    #expect(found.points.count == path.stages.count + 1)
    let convex = path.stages.indices.count { path.lossBound(ofStage: $0) == .convex }
    #expect(found.provenStates == convex + 1)
    let obvious = try PathEvaluator(strategy: .pointByPoint)
      .evaluate(path, at: found.points.map(\.t), on: samples)
    for (point, other) in zip(found.points, obvious) {
      #expect(abs(point.train.crossEntropy - other.crossEntropy) < 1e-5)
    }
    #expect(found.train.worstLoss == found.points.map(\.train.crossEntropy).max())
  }

  @Test(arguments: [
    ("exchange:blocks=4", [7, 24, 5]), ("exchange:blocks=3,order=random,target=first", [7, 24, 5]),
    ("exchange:blocks=4", [7, 16, 12, 5]),
  ])
  func `fitted to labels no state has a larger loss, and idle units are not read`(
    method: String, sizes: [Int]
  ) throws {
    let network = try denseNetwork(sizes)
    let (a, b) = try pair(network)
    let samples = try randomSamples(count: 400, shape: [7], classes: 5)
    let plain = try path(method, a, b, samples: samples)
    let fitted = try path(method + ",refit=labels", a, b, samples: samples)
    #expect(plain.stages.map(\.label) == fitted.stages.map(\.label))
    try expectLaws(fitted, a, b)
    let evaluator = PathEvaluator(strategy: .pointByPoint)
    let output = network.parameters.count - 2
    var isLower = false
    for stage in 1..<plain.stages.count {
      let t = Double(stage)
      let losses = try [plain, fitted].map {
        try evaluator.evaluate($0, at: [t], on: samples)[0].crossEntropy
      }
      #expect(losses[1] < losses[0] + 1e-5)
      isLower = isLower || losses[1] < losses[0] - 1e-3
      let (before, behind) = (try plain.weights(at: t)[output], try fitted.weights(at: t)[output])
      for (one, other) in zip(before.elements, behind.elements) where one == 0 {
        #expect(other == 0)
      }
    }
    #expect(isLower)
  }

  @Test func `the states of wide layers are nearly the networks' mean`() throws {
    // A wide hidden layer of random units can stand for any other one.
    let network = try denseNetwork([4, 400, 3])
    let (a, b) = try pair(network)
    let samples = try randomSamples(count: 3000, shape: [4], classes: 3)
    let path = try path("exchange:blocks=8,order=random", a, b, samples: samples)
    #expect(path.stages.count == 24)
    let runner = try Runner(network)
    let block = samples.block(0..<500)
    let middle = runner.output(of: block, weights: try path.weights(at: path.middle))
    let (first, second) = (
      runner.output(of: block, weights: a), runner.output(of: block, weights: b)
    )
    var (error, size) = (0.0, 0.0)
    for index in middle.elements.indices {
      let mean = (first.elements[index] + second.elements[index]) / 2
      error += Double((middle.elements[index] - mean) * (middle.elements[index] - mean))
      size += Double((first.elements[index] - mean) * (first.elements[index] - mean))
    }
    #expect(error < 0.02 * size)
  }

  @Test(arguments: ["random", "greedy", "importance", "matched"])
  func `dead and equal units, and fewer samples than features, keep the laws`(order: String) throws
  {
    let network = try denseNetwork([5, 18, 4])
    var (a, b) = try pair(network)
    for unit in [2, 3] {
      // Dead in both networks: no input reaches above zero.
      for index in 0..<5 { a[0].elements[unit * 5 + index] = 0 }
      a[1].elements[unit] = -1
      b[1].elements[unit] = -100
    }
    for index in 0..<5 {
      // Units that are the same, within a network and across both.
      a[0].elements[6 * 5 + index] = a[0].elements[7 * 5 + index]
      b[0].elements[8 * 5 + index] = a[0].elements[7 * 5 + index]
    }
    a[1].elements[6] = a[1].elements[7]
    b[1].elements[8] = a[1].elements[7]
    for count in [11, 300] {
      let samples = try randomSamples(count: count, shape: [5], classes: 4)
      let path = try path("exchange:order=\(order),blocks=6", a, b, samples: samples)
      try expectLaws(path, a, b)
      #expect(path.lossBounds != nil)
    }
  }

  @Test func `equal networks stay`() throws {
    let network = try denseNetwork([5, 12, 4])
    let a = try Weights(randomFor: network, seed: 1)
    let samples = try randomSamples(count: 200, shape: [5], classes: 4)
    let path = try path("exchange:blocks=4,order=random", a, a, samples: samples)
    try expectLaws(path, a, a)
    let joints = (0...4).map { Double(3 * $0) }
    for weights in try path.weights(atEach: joints) { #expect(weights.distance(to: a) < 1e-3) }
  }

  @Test func `what a saved path says of its loss is found again`() throws {
    let network = try denseNetwork([6, 10, 3])
    let (a, b) = try pair(network)
    let samples = try randomSamples(count: 200, shape: [6], classes: 3)
    let path = try path("exchange:blocks=5,order=random", a, b, samples: samples)
    // What an archive keeps are the motions.
    let read = try ExplicitPath(
      network: network,
      stages: path.stages.map { PathStage(label: $0.label, motions: $0.motions) })
    #expect(read.lossBounds == path.lossBounds)
    #expect(
      read.lossBounds == Array(repeating: [.convex, .constant, .convex], count: 5).flatMap(\.self))
  }

  @Test func `a stage is not held for bounded that is not`() throws {
    let network = try denseNetwork([6, 10, 3])
    let (a, b) = try pair(network)
    func bound(_ moving: Set<Int>, _ change: (inout Weights) -> Void = { _ in }) throws
      -> LossBound?
    {
      var (start, end) = (a, b)
      change(&start)
      change(&end)
      return try ExplicitPath(
        network: network,
        stages: [
          PathStage(
            label: "moves",
            motions: network.parameters.indices.map {
              moving.contains($0) ? .combination([start[$0], end[$0]], .line) : .fixed(start[$0])
            })
        ]
      ).lossBound(ofStage: 0)
    }
    #expect(try bound([2, 3]) == .convex)
    #expect(try bound([]) == .constant)
    #expect(try bound([0, 1]) == nil)
    #expect(try bound([0, 2]) == nil)
    // All units but the last are read by nothing.
    func silence(_ units: Range<Int>) -> (inout Weights) -> Void {
      { weights in
        for unit in units {
          for output in 0..<3 { weights[2].elements[output * 10 + unit] = 0 }
        }
      }
    }
    #expect(try bound([0, 1], silence(0..<10)) == .constant)
    #expect(try bound([0, 1], silence(0..<9)) == nil)
  }

  private static let residual = """
    conv 6 3x3 pad 1; start = relu; conv 5 3x3 pad 1; relu; first = conv 6 3x3 pad 1
    middle = add from first start; inner = relu; conv 4 3x3 pad 1; relu; last = conv 6 1x1
    add from last inner; relu; avgpool 2; flatten; dense 4
    """

  @Test(arguments: [
    "exchange:blocks=4", "exchange:at-once=groups,blocks=3", "exchange:blocks=1",
    "exchange:order=random,blocks=4",
  ])
  func `deeper chains and residual networks keep the laws`(method: String) throws {
    let operations = try PluginRegistry.linked().operations
    let networks = [
      try denseNetwork([6, 14, 11, 9, 4]), try denseNetwork([6, 14, 11, 4], bias: false),
      try NetworkText(
        "conv 6 3x3 pad 1; relu; maxpool 2 stride 2; flatten; dense 9; affine; tanh; dense 4",
        operations: operations
      ).network(inputShape: [2, 6, 6], classes: 4),
      try NetworkText(Self.residual, operations: operations)
        .network(inputShape: [2, 6, 6], classes: 4),
    ]
    for network in networks {
      let (a, b) = try pair(network)
      let samples = try randomSamples(count: 120, shape: network.inputShape, classes: 4)
      let path = try path(method, a, b, samples: samples)
      try expectLaws(path, a, b)
      // Nothing reads what changes while a block is out of use.
      for stage in path.stages.indices where path.stages[stage].label.hasPrefix("exchange") {
        #expect(path.lossBound(ofStage: stage) == .constant)
        let losses = try PathEvaluator(strategy: .pointByPoint).evaluate(
          path, at: [0, 0.5, 0.999].map { Double(stage) + $0 }, on: samples)
        #expect(abs(losses[0].crossEntropy - losses[1].crossEntropy) < 1e-6)
        #expect(abs(losses[0].crossEntropy - losses[2].crossEntropy) < 1e-6)
      }
    }
  }

  /// B has A's units with those of each pair of slots in each other's place. If both slots of a pair change
  /// hands together, all units are there all along.
  @Test func `slots of deeper networks change hands so that the units that are there tell most`()
    throws
  {
    let network = try denseNetwork([5, 12, 8, 3])
    let a = try Weights(randomFor: network, seed: 4)
    var b = a
    for population in HiddenPopulation.all(of: network) {
      b = population.reordered(b, by: (0..<population.count).map { $0 ^ 1 })
    }
    let samples = try randomSamples(count: 600, shape: [5], classes: 3)
    let runner = try Runner(network)
    func error(_ method: String) throws -> Double {
      let path = try path(method, a, b, samples: samples)
      let block = samples.block(0..<600)
      let own = runner.output(of: block, weights: a)
      let half = runner.output(of: block, weights: try path.weights(at: path.middle))
      return half.squaredDistance(to: own) / own.squaredDistance(to: Tensor(zeros: own.shape))
    }
    // Of six and four pairs half change hands.
    #expect(try error("exchange:blocks=2,order=greedy") < 1e-6)
    #expect(try error("exchange:blocks=2") < 1e-6)
    let drawn = try error("exchange:blocks=2,order=random")
    #expect(drawn > 1e-3, "\(drawn)")
  }

  /// Networks of which one was made from the other share layers.
  @Test(arguments: [
    "exchange:blocks=3", "exchange:blocks=3,order=random", "exchange:at-once=groups,blocks=2",
  ])
  func `layers that both networks share stay, and the path is as it is told`(method: String) throws
  {
    let operations = try PluginRegistry.linked().operations
    let networks = [
      try denseNetwork([6, 14, 11, 4]), try denseNetwork([6, 12, 4]),
      try NetworkText(Self.residual, operations: operations)
        .network(inputShape: [2, 6, 6], classes: 4),
    ]
    for network in networks {
      let (a, other) = try pair(network)
      let samples = try randomSamples(count: 200, shape: network.inputShape, classes: 4)
      let last = network.parameters.indices.suffix(2)
      let shared = network.parameters.indices.prefix(2)
      for own in [[], Array(last), Array(network.parameters.indices.dropFirst(shared.count))] {
        var b = a
        for index in own { b[index] = other[index] }
        let path = try path(method, a, b, samples: samples)
        #expect(try path.weights(at: 0).isIdentical(to: a))
        #expect(try path.weights(at: path.domain.upperBound).isIdentical(to: b))
        let times = (0...4 * path.stages.count).map { Double($0) / 4 }
        let structured = try PathEvaluator().evaluate(path, at: times, on: samples)
        let obvious = try PathEvaluator(strategy: .pointByPoint).evaluate(
          path, at: times, on: samples)
        for (x, y) in zip(structured, obvious) {
          #expect(abs(x.crossEntropy - y.crossEntropy) < 1e-5)
        }
        for time in times {
          let point = try path.weights(at: time)
          for index in network.parameters.indices where !own.contains(index) {
            #expect(point[index].isIdentical(to: a[index]))
          }
        }
      }
    }
  }

  @Test func `every unit goes on putting out what it does in its own network`() throws {
    // The second hidden layer's units read a first one that is wide enough for both.
    let network = try denseNetwork([3, 200, 20, 4])
    let (a, b) = try pair(network)
    let samples = try randomSamples(count: 2500, shape: [3], classes: 4)
    let path = try path("exchange:blocks=5", a, b, samples: samples)
    let block = samples.block(0..<400)
    let outputs = try [a, b, path.weights(at: 6)].map { try output(of: block, $0, layers: 3) }
    for unit in 0..<20 {
      func distance(to other: Tensor) -> Float {
        (0..<400).reduce(0) { sum, sample in
          let difference =
            outputs[2].elements[sample * 20 + unit] - other.elements[sample * 20 + unit]
          return sum + difference * difference
        }
      }
      let (first, second) = (distance(to: outputs[0]), distance(to: outputs[1]))
      #expect(min(first, second) < 0.02 * max(first, second))
    }
  }

  @Test func `what can't be exchanged is refused by name`() throws {
    let samples = try randomSamples(count: 50, shape: [6], classes: 4)
    func refusal(_ method: String, _ network: Network) throws -> String {
      let (a, b) = try pair(network)
      do {
        _ = try path(method, a, b, samples: samples)
        return ""
      } catch let error as any DescribedError { return "\(error)" }
    }
    #expect(try refusal("exchange", denseNetwork([6, 4])).contains("2 layers of weights"))
    let coupled = try Network(
      inputShape: [6],
      layers: [.dense(outputs: 8, bias: true), .layerNorm(), .relu, .dense(outputs: 4, bias: true)])
    #expect(try refusal("exchange", coupled).contains("layernorm"))
    #expect(
      try refusal("exchange:order=importance", denseNetwork([6, 8, 7, 4])).contains("order=greedy"))
    #expect(try refusal("exchange:order=matched", denseNetwork([6, 8, 7, 4])).contains("greedy"))
    #expect(try refusal("exchange:blocks=-1", denseNetwork([6, 8, 4])).contains("blocks"))
    #expect(try refusal("exchange:order=sorted", denseNetwork([6, 8, 4])).contains("greedy"))
    #expect(try refusal("exchange:ridge=2", denseNetwork([6, 8, 4])).contains("ridge"))
  }
}
