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

  @Test(arguments: ["ot+wa", "arc+wa:layers=all", "linear+repair"])
  func `points that are kept are not solved for again`(method: String) throws {
    var archive = try archive(method)
    let registry = try PluginRegistry.linked()
    let path = try archive.path(
      in: ConnectionContext(samples: try samples, workers: Workers(2)), registry: registry)
    archive.kept = try KeptPoints(of: path, at: path.grid(pointsPerUnit: 5))
    let kept = try #require(archive.kept)
    // Where stages meet nothing is kept, nor where units only find their places.
    #expect(!kept.times.isEmpty && kept.bytes > 0)
    #expect(kept.times.allSatisfy { $0 != $0.rounded() && !path.stages[Int($0)].restoresOrder })
    let read = try PathArchive(reading: archive.checkpoint, registry: registry)
    #expect(read.kept?.times == kept.times)
    // With other samples other layers are solved for, but for those that are kept.
    let others = try randomSamples(count: 150, shape: [6], classes: 3, seed: 77)
    let again = try read.path(
      in: ConnectionContext(samples: others, workers: Workers(2)), registry: registry)
    for (t, point) in zip(kept.times, try again.weights(atEach: kept.times)) {
      for (parameter, motion) in path.stages[Int(t)].motions.enumerated() where motion.isOpaque {
        #expect(try point[parameter].isIdentical(to: path.weights(at: t)[parameter]))
      }
    }
    let between = try #require(kept.times.first) + 0.01
    #expect(try !again.weights(at: between).isIdentical(to: path.weights(at: between)))
    #expect(try again.weights(at: 0).isIdentical(to: path.weights(at: 0)))
  }

  @Test
  func `kept points that can't be are refused`() throws {
    var archive = try archive("arc+wa")
    let registry = try PluginRegistry.linked()
    let path = try archive.path(
      in: ConnectionContext(samples: try samples, workers: Workers(2)), registry: registry)
    archive.kept = try KeptPoints(of: path, at: [0.5])
    let good = archive.checkpoint
    #expect(good.metadata["kept_points"] == .array([JSONValue(0.5)]))
    let times: [JSONValue] = [
      JSONValue(0.5), .array([JSONValue(0.5), JSONValue(0.5)]), .array(["half"]), .array([0]),
      .array([JSONValue(-0.5)]), .array([99]),
    ]
    for wrong in times {
      var other = good
      other.metadata["kept_points"] = wrong
      #expect(throws: CheckpointError.self, "\(wrong)") {
        try PathArchive(reading: other, registry: registry)
      }
    }
    // Where stages meet, and where units only find their places, the path is asked all the same.
    for t in [1.0, 2.0] where t < path.domain.upperBound {
      var other = good
      other.metadata["kept_points"] = .array([JSONValue(t)])
      let forged = try PathArchive(reading: other, registry: registry)
        .path(in: ConnectionContext(samples: try samples, workers: Workers(2)), registry: registry)
      #expect(try forged.weights(at: t).isIdentical(to: path.weights(at: t)))
    }
    let index = try #require(good.tensors.firstIndex { $0.name == "kept/1/dense2.weight" })
    var other = good
    other.tensors[index] = NamedTensor("kept/1/dense2.weight", StoredTensor(Tensor(zeros: [3])))
    #expect(throws: NetworkError.self) { try PathArchive(reading: other, registry: registry) }
    var tensor = good.tensors[index].tensor.floats
    tensor.elements[0] = .nan
    other.tensors[index] = NamedTensor("kept/1/dense2.weight", StoredTensor(tensor))
    #expect(throws: CheckpointError.self) { try PathArchive(reading: other, registry: registry) }
    // A point of which something is missing is solved for.
    other.tensors.remove(at: index)
    let read = try PathArchive(reading: other, registry: registry)
    let again = try read.path(
      in: ConnectionContext(samples: try samples, workers: Workers(2)), registry: registry)
    #expect(try again.weights(at: 0.5).isIdentical(to: path.weights(at: 0.5)))
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
