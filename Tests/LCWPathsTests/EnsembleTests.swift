// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

struct EnsembleTests {
  private let samples: SampleSet
  private let networks: [Weights]

  init() throws {
    samples = try randomSamples(count: 500, shape: [6], classes: 4)
    let network = try denseNetwork([6, 30, 20, 4])
    networks = try (1...3).map { try Weights(randomFor: network, seed: $0) }
  }

  /// The mean of the members' probabilities, computed the slow obvious way.
  private func expected(
    _ members: [Weights], on other: SampleSet? = nil
  ) throws -> Metrics {
    let samples = other ?? samples
    let runner = try Runner(members[0].network)
    let block = samples.block(0..<samples.count)
    var means = [[Double]](
      repeating: [Double](repeating: 0, count: 4), count: samples.count)
    for member in members {
      let logits = runner.output(of: block, weights: member)
      for row in 0..<samples.count {
        let exponentials = logits.row(row).map { exp(Double($0)) }
        let sum = exponentials.reduce(0, +)
        for column in 0..<4 {
          means[row][column] += exponentials[column] / sum / Double(members.count)
        }
      }
    }
    var (loss, correct) = (0.0, 0)
    for (row, label) in samples.labels.enumerated() {
      loss -= log(means[row][Int(label)])
      if means[row].max() == means[row][Int(label)] { correct += 1 }
    }
    return Metrics(
      crossEntropy: loss / Double(samples.count), accuracy: Double(correct) / Double(samples.count))
  }

  @Test(arguments: 1...3)
  func `probabilities are averaged`(head: Int) throws {
    let ensemble = try Ensemble(of: networks, head: head, samples: samples)
    let metrics = try ensemble.evaluate(on: samples, workers: Workers(2))
    #expect(metrics.count == 3)
    for count in 1...3 {
      let slow = try expected(Array(ensemble.members.prefix(count)))
      #expect(abs(metrics[count - 1].crossEntropy - slow.crossEntropy) < 1e-5)
      #expect(abs(metrics[count - 1].accuracy - slow.accuracy) <= 1 / 500)
    }
  }

  @Test func `with all layers in the head the networks are as they were`() throws {
    let ensemble = try Ensemble(of: networks, head: 3, samples: samples)
    for (member, network) in zip(ensemble.members, networks) {
      #expect(member.isIdentical(to: network))
    }
    #expect(ensemble.residuals.isEmpty)
  }

  @Test func `the head's first layer is adjusted to the backbone`() throws {
    let ensemble = try Ensemble(
      of: networks, head: 2, samples: samples, options: AdjustmentOptions(ridge: 0))
    let network = networks[0].network
    for (number, member) in ensemble.members.enumerated() {
      for (index, parameter) in network.parameters.enumerated() {
        switch parameter.layer {
        case 0: #expect(member[index].isIdentical(to: networks[0][index]))
        case 4: #expect(member[index].isIdentical(to: networks[number][index]))
        default: #expect(member[index].isIdentical(to: networks[number][index]) == (number == 0))
        }
      }
    }
    // The adjusted layer is the least-squares solution.
    let inputs = samples.block(0..<500)
    var problem = LeastSquares(features: 30, targets: 20, solvingBias: true)
    problem.add(
      try output(of: inputs, networks[0], layers: 2),
      targets: try output(of: inputs, networks[1], layers: 3))
    let solution = try problem.solution()
    #expect(ensemble.members[1][2].squaredDistance(to: solution.weights).squareRoot() < 2e-2)
    #expect(ensemble.residuals.count == 2 && ensemble.residuals.allSatisfy { $0 > 0 && $0 < 1 })
  }

  /// Backbones and heads with filters, and a head that begins behind a flatten.
  @Test(arguments: 1...4)
  func `networks with filters share their first layers`(head: Int) throws {
    let network = try Network(
      inputShape: [2, 8, 8],
      layers: [
        .convolution(.init(filters: 5, kernel: 3, padding: 1)), .relu,
        .maxPool(.init(size: 2, stride: 2)), .convolution(.init(filters: 6, kernel: 3)), .relu,
        .convolution(.init(filters: 4, kernel: 1)), .relu, .flatten,
        .dense(outputs: 4, bias: true),
      ])
    let networks = try (1...3).map { try Weights(randomFor: network, seed: $0) }
    let samples = try randomSamples(count: 120, shape: [2, 8, 8], classes: 4)
    let ensemble = try Ensemble(of: networks, head: head, samples: samples)
    let boundary = [8, 5, 3, 0][head - 1]
    for (number, member) in ensemble.members.enumerated() {
      for (index, parameter) in network.parameters.enumerated() {
        if parameter.layer < boundary {
          #expect(member[index].isIdentical(to: networks[0][index]))
        } else if parameter.layer > boundary || head == 4 || number == 0 {
          #expect(member[index].isIdentical(to: networks[number][index]))
        }
      }
    }
    // The adjusted layer puts out nearly what it does in its own network.
    let block = samples.block(0..<120)
    for (own, member) in zip(networks, ensemble.members).dropFirst() {
      func result(_ weights: Weights) throws -> Tensor {
        try output(of: block, weights, layers: boundary + 1)
      }
      var unadjusted = member
      for index in network.parameterIndices(ofLayer: boundary) { unadjusted[index] = own[index] }
      let (wanted, found, before) = (try result(own), try result(member), try result(unadjusted))
      if head < 4 {
        #expect(wanted.squaredDistance(to: found) < 0.5 * wanted.squaredDistance(to: before))
      } else {
        #expect(wanted.squaredDistance(to: found) == 0)
      }
    }
    let slow = try expected(ensemble.members, on: samples)
    let metrics = try ensemble.evaluate(on: samples, workers: Workers(2))
    #expect(abs(metrics[2].crossEntropy - slow.crossEntropy) < 1e-5)
  }

  @Test func `a network and itself make the network`() throws {
    let ensemble = try Ensemble(of: [networks[0], networks[0]], head: 1, samples: samples)
    #expect(ensemble.members[1].isIdentical(to: networks[0]))
    let metrics = try ensemble.evaluate(on: samples)
    #expect(abs(metrics[0].crossEntropy - metrics[1].crossEntropy) < 1e-6)
  }

  @Test func `storage and arithmetic count the backbone once`() throws {
    let ensemble = try Ensemble(of: networks, head: 1, samples: samples)
    let backbone = 6 * 30 + 30 + 30 * 20 + 20
    #expect(ensemble.storedValues(count: 3) == backbone + 3 * (20 * 4 + 4))
    #expect(ensemble.multiplyAdds(count: 3) == 6 * 30 + 30 * 20 + 3 * 20 * 4)
    let independent = try Ensemble(of: networks, head: 3, samples: samples)
    #expect(independent.storedValues(count: 2) == 2 * networks[0].network.parameterCount)
  }

  @Test(arguments: 1...3)
  func `an archive holds the backbone once and gives the same ensemble`(head: Int) throws {
    let network = try MLPNetwork.make()
    let networks = try (1...3).map { try Weights(randomFor: network, seed: $0) }
    let ensemble = try Ensemble(of: networks, head: head, samples: samples)
    let archive = EnsembleArchive(
      ensemble: ensemble, architecture: MLPNetwork.reference,
      dataset: PluginReference(name: "digits"))
    let checkpoint = archive.checkpoint
    let values = checkpoint.tensors.reduce(0) { $0 + $1.tensor.shape.count }
    #expect(values == ensemble.storedValues(count: 3))
    let read = try EnsembleArchive(reading: checkpoint, registry: PluginRegistry.linked())
    #expect(read.ensemble.head == head && read.dataset == archive.dataset)
    for (x, y) in zip(read.ensemble.members, ensemble.members) { #expect(x.isIdentical(to: y)) }
    for field in ["head", "members", "architecture"] {
      var broken = checkpoint
      broken.metadata[field] = 0
      #expect(throws: (any Error).self) {
        try EnsembleArchive(reading: broken, registry: PluginRegistry.linked())
      }
    }
  }

  /// Probabilities far below what a float can hold keep their loss.
  @Test func `the loss of a confident network is the network's`() throws {
    var confident = networks[0]
    for index in confident[4].elements.indices { confident[4].elements[index] *= 5000 }
    let ensemble = try Ensemble(of: [confident, networks[1]], head: 3, samples: samples)
    let expected = try Runner(confident.network).evaluate(confident, on: samples)
    #expect(expected.crossEntropy > 200)
    let found = try ensemble.evaluate(on: samples)[0]
    #expect(abs(found.crossEntropy / expected.crossEntropy - 1) < 1e-5)
    #expect(found.accuracy == expected.accuracy)
  }

  @Test func `a network that is not finite is refused, and never right`() throws {
    var broken = networks[1]
    broken[4].elements[3] = .nan
    let weights = [networks[0], broken]
    let fault = try #require(broken.fault)
    #expect(throws: ConnectionError.weights(network: "network 2", fault)) {
      try Ensemble(of: weights, head: 3, samples: samples)
    }
    var mean = SoftmaxMean(samples: 2, classes: 2)
    mean.add(try Tensor([1, 2, .nan, 0], shape: [2, 2]))
    let sums = mean.sums(labels: [1, 0])
    #expect(sums.correct == 1 && sums.samples == 2 && sums.crossEntropy.isNaN)
  }

  @Test func `what can't be is refused`() throws {
    #expect(throws: EnsembleError.noNetworks) {
      try Ensemble(of: [], head: 1, samples: samples)
    }
    for head in [0, 4] {
      #expect(throws: EnsembleError.noSuchHead(head, weightedLayers: 3)) {
        try Ensemble(of: networks, head: head, samples: samples)
      }
    }
    let other = try Weights(randomFor: denseNetwork([6, 30, 21, 4]), seed: 1)
    #expect(throws: NetworkError.self) {
      try Ensemble(of: [networks[0], other], head: 1, samples: samples)
    }
    #expect(throws: EnsembleError.otherBackbone(member: 1, parameter: "dense1.weight")) {
      try Ensemble(members: networks, head: 1)
    }
  }
}

private enum MLPNetwork {
  static let reference = PluginReference(name: "mlp", options: ["hidden": "30x20"])
  static func make() throws -> Network {
    try PluginRegistry.linked().architecture(reference).network(inputShape: [6], classes: 4)
  }
}
