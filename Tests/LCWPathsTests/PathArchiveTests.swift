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
    let path = try path(
      method, Weights(randomFor: network, seed: 1), Weights(randomFor: network, seed: 2))
    return PathArchive(
      path: try #require(path as? ExplicitPath), method: try PluginReference(method),
      architecture: architecture, dataset: PluginReference(name: "digits"))
  }

  @Test(arguments: ["linear", "arc"])
  func `a path comes back with every point the same`(method: String) throws {
    let original = try archive(method)
    let read = try PathArchive(
      reading: original.checkpoint, registry: try PluginRegistry.linked())
    #expect(read.method == original.method && read.dataset == original.dataset)
    for t in [0, 0.2, 0.5, 1] {
      #expect(try read.path.weights(at: t).isIdentical(to: original.path.weights(at: t)))
    }
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
