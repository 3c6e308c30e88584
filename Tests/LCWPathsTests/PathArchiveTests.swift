// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

struct PathArchiveTests {
  private func archive(_ method: String) throws -> PathArchive {
    let registry = try PluginRegistry.linked()
    let architecture = try PluginReference("mlp:hidden=7x5")
    let network = try registry.architecture(architecture).network(inputShape: [6], classes: 3)
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    return PathArchive(
      path: try path(method, a, b, samples: samples), between: (a, b), seed: 5,
      method: try MethodExpression(method), architecture: architecture,
      dataset: PluginReference(name: "digits"))
  }

  private var samples: SampleSet {
    get throws { try randomSamples(count: 200, shape: [6], classes: 3) }
  }

  @Test(arguments: [
    "linear", "arc", "ot", "arc+wa", "ot+bfly", "garipov:epochs=2", "linear+repair", "ot+wa+repair",
    "garipov:epochs=2+repair:moments=variance",
  ])
  func `a path comes back with every point the same`(method: String) throws {
    let original = try archive(method)
    let read = try PathArchive(
      reading: original.checkpoint, registry: try PluginRegistry.linked())
    #expect(read.method == original.method && read.dataset == original.dataset)
    let context = ConnectionContext(samples: try samples, workers: Workers(2))
    let registry = try PluginRegistry.linked()
    let first = try original.path(in: context, registry: registry)
    let second = try read.path(in: context, registry: registry)
    #expect(first.stages.map(\.label) == read.stages && read.stages == original.stages)
    for share in [0, 0.13, 0.5, 1] {
      let t = share * first.domain.upperBound
      #expect(try second.weights(at: t).isIdentical(to: first.weights(at: t)))
    }
  }

  @Test
  func `a computed path holds its networks and keeps its seed`() throws {
    let archive = try archive("ot+wa")
    let checkpoint = archive.checkpoint
    #expect(checkpoint.metadata["motions"] == nil && checkpoint.metadata["seed"] == "5")
    #expect(try archive.needsSamples(registry: PluginRegistry.linked()))
    #expect(try !self.archive("ot").needsSamples(registry: PluginRegistry.linked()))
    #expect(checkpoint.tensors.count == 2 * archive.network.parameters.count)
    var broken = checkpoint
    broken.metadata["seed"] = 5
    #expect(throws: CheckpointError.self) {
      try PathArchive(reading: broken, registry: PluginRegistry.linked())
    }
  }

  /// So that a trained curve is not trained again.
  @Test
  func `of a modified path what is explicit is stored, and the modifiers are applied anew`() throws
  {
    let archive = try archive("garipov:epochs=2+repair:samples=90")
    let checkpoint = archive.checkpoint
    #expect(checkpoint.metadata["modifiers"] == .array(["repair:samples=90"]))
    #expect(checkpoint.metadata["motions"]?.object?["stage1/dense1.weight"] == "chain 3")
    let registry = try PluginRegistry.linked()
    #expect(try archive.needsSamples(registry: registry))
    let wrong: [JSONValue] = ["repair", .array(["repair+", 3]), .array(["re pair"])]
    for broken in wrong {
      var other = checkpoint
      other.metadata["modifiers"] = broken
      #expect(throws: CheckpointError.self) {
        try PathArchive(reading: other, registry: registry)
      }
    }
    // Stages that only restore an order are not told of by motions.
    #expect(try self.archive("ot+repair").checkpoint.metadata["seed"] == "5")
    #expect(try self.archive("ot+repair").checkpoint.metadata["modifiers"] == nil)
  }

  @Test(arguments: ["exchange:blocks=2,order=matched", "exchange:blocks=3,order=greedy", "ot"])
  func `a stored path has its middle where it had it`(method: String) throws {
    let registry = try PluginRegistry.linked()
    let architecture = try PluginReference("mlp:hidden=9")
    let network = try registry.architecture(architecture).network(inputShape: [6], classes: 3)
    let (a, b) = (
      try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2)
    )
    let made = try path(method, a, b, samples: samples)
    let archive = PathArchive(
      path: made, between: (a, b), seed: 5, method: try MethodExpression(method),
      architecture: architecture, dataset: nil)
    let checkpoint = archive.checkpoint
    let context = ConnectionContext(samples: try samples, workers: Workers(2))
    let read = try PathArchive(reading: checkpoint, registry: registry)
      .path(in: context, registry: registry)
    #expect(read.middle == made.middle)
    #expect(read.stages.map(\.isOnTheWay) == made.stages.map(\.isOnTheWay))
    #expect(read.stages.contains { !$0.isOnTheWay })
    #expect(try read.weights(at: read.middle).isIdentical(to: made.weights(at: made.middle)))
    // Others are made anew.
    guard case .stored = archive.content else { return }
    // That a stage keeps the function is not taken from a file, which may say what is not so.
    #expect(!read.stages.contains { $0.keepsFunction })
    var wrong = checkpoint
    for value: JSONValue in [
      .array([0]), .array(["1"]), 3, .array([.integer(made.stages.count + 1)]),
    ] {
      wrong.metadata["not_on_the_way"] = value
      #expect(throws: CheckpointError.self) {
        try PathArchive(reading: wrong, registry: registry)
      }
    }
    // Versions before wrote no such field.
    var old = checkpoint
    old.metadata["not_on_the_way"] = nil
    #expect(
      try PathArchive(reading: old, registry: registry).path(in: context, registry: registry)
        .stages.count == made.stages.count)
  }

  @Test
  func `what does not fit is refused`() throws {
    let registry = try PluginRegistry.linked()
    let good = try archive("arc").checkpoint
    func refused(_ change: (inout Checkpoint) -> Void) -> (any Error)? {
      var bad = good
      change(&bad)
      do {
        _ = try PathArchive(reading: bad, registry: registry)
        return nil
      } catch {
        return error
      }
    }
    #expect(refused { _ in } == nil)
    #expect(
      refused { $0.kind = .checkpoint } as? CheckpointError
        == .kind(expected: "path", found: "checkpoint"))
    #expect(refused { $0.metadata["stages"] = nil } is CheckpointError)
    #expect(refused { $0.metadata["stages"] = .array([]) } is CheckpointError)
    #expect(refused { $0.metadata["motions"] = .object([:]) } is CheckpointError)
    #expect(refused { $0.tensors.removeFirst() } is CheckpointError)
    #expect(
      refused {
        $0.tensors[0].tensor = StoredTensor(Tensor(zeros: [2, 2]))
      } is PathError)
    #expect(
      refused {
        var motions = $0.metadata["motions"]?.object ?? [:]
        motions["stage1/dense1.weight"] = "spiral"
        $0.metadata["motions"] = .object(motions)
      } as? PathError == .unknownCurve("spiral", parameter: "dense1.weight"))
    #expect(refused { $0.metadata["architecture"] = "mlp:hidden=8" } is PathError)
  }
}
