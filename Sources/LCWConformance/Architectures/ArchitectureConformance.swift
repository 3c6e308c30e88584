// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNetworks
public import LCWNumerics

/// Looks whether an architecture keeps the promises of ``Architecture``.
public struct ArchitectureConformance: Sendable {
  /// The shapes of samples to try; the architecture may refuse some, but not all.
  public var inputShapes: [Shape] = [
    [12], [1, 8, 8], [3, 32, 32], [2, 3, 4, 5], [1, 1, 1], [1],
  ]
  /// The numbers of classes to try.
  public var classes = [3, 10]

  private let reference: PluginReference
  private let architecture: any Architecture
  private let registry: PluginRegistry

  /// The suite for an architecture as it is written on the command line.
  /// - Throws: ``PluginError`` if the registry has no such architecture.
  public init(_ text: String, in registry: PluginRegistry) throws {
    reference = try PluginReference(text)
    architecture = try registry.architecture(reference)
    self.registry = registry
  }

  /// The promises that the architecture does not keep.
  public func brokenProperties() -> [BrokenProperty] {
    var broken = Conformance.brokenDescription(of: type(of: architecture))
    var refusals: [String] = []
    var smallest: Network?
    for shape in inputShapes {
      for count in classes {
        do {
          let network = try architecture.network(inputShape: shape, classes: count)
          broken += brokenShapes(network, shape, count)
          broken += brokenReferences(network, shape, count)
          broken += brokenCheckpoint(network)
          let cost = smallest.map { $0.shapes.reduce(0) { $0 + $1.count } } ?? .max
          if network.shapes.reduce(0, { $0 + $1.count }) < cost { smallest = network }
        } catch let error as any DescribedError {
          refusals.append("\(shape): \(error)")
        } catch {
          broken.add(.refusesProperly, "samples \(shape) are refused by \(error)")
        }
      }
    }
    do {
      if let smallest { broken += try GradientCheck(smallest).brokenProperties() }
    } catch {
      broken.add(.hasGradients, "the network does not run: \(error)")
    }
    if smallest == nil {
      broken.add(.makesNetworks, "every shape is refused: \(refusals.joined(separator: "; "))")
    }
    return broken
  }

  private func brokenShapes(_ network: Network, _ shape: Shape, _ count: Int) -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    if network.inputShape != shape {
      broken.add(.hasShapes, "asked for samples \(shape), it takes \(network.inputShape)")
    }
    if network.outputShape != [count] {
      broken.add(.hasShapes, "asked for \(count) classes, it gives \(network.outputShape)")
    }
    return broken
  }

  /// The reference with every default written out, and the self-contained one.
  private func brokenReferences(
    _ network: Network, _ shape: Shape, _ count: Int
  ) -> [BrokenProperty] {
    let defaults = type(of: architecture).options.map { ($0.key, $0.defaultText) }
    let written = PluginReference(
      name: reference.name,
      options: reference.options.merging(Dictionary(defaults) { $1 }) { given, _ in given })
    var broken: [BrokenProperty] = []
    for other in [reference, written, architecture.selfContained(reference)] {
      do {
        let again = try registry.architecture(PluginReference("\(other)"))
          .network(inputShape: shape, classes: count)
        if again != network { broken.add(.keepsOptions, "‘\(other)’ is another network") }
      } catch {
        broken.add(.keepsOptions, "‘\(other)’ is refused: \(error)")
      }
    }
    return broken
  }

  private func brokenCheckpoint(_ network: Network) -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    do {
      let weights = try Weights(randomFor: network, seed: 1)
      let checkpoint = Checkpoint(
        TrainedNetwork(architecture: architecture.selfContained(reference), weights: weights))
      let back = try checkpoint.trainedNetwork(from: registry)
      if !back.weights.isIdentical(to: weights) {
        broken.add(.survivesCheckpoint, "‘\(network)’ comes back as ‘\(back.weights.network)’")
      }
    } catch {
      broken.add(.survivesCheckpoint, "the checkpoint can't be read: \(error)")
    }
    return broken
  }
}
