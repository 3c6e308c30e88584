// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

/// What archives may make the linked plugins do.
struct RecordedReferenceTests {
  private let registry: PluginRegistry

  init() throws {
    registry = try PluginRegistry.linked()
  }

  /// An option that names a file tells it by its type: none is a mere text whose help speaks of a file
  /// first. A format's options are never read from a file.
  @Test func optionsThatNameFilesSayIt() {
    var found: [String] = []
    for type in registry.plugins where PluginKind(of: type) != .format {
      for option in type.options {
        let words = option.help.split { !$0.isLetter }.prefix(4).map { $0.lowercased() }
        let isSaid = !Set(words).isDisjoint(with: ["file", "files", "archive", "folder"])
        #expect(
          !(isSaid && option.typeName == String.typeName),
          "\(type.name):\(option.key)= \(option.help)")
        if option.namesFile { found.append("\(type.name):\(option.key)") }
      }
    }
    for known in ["sequential:file", "flow:model", "bijection:model", "bijection:start"] {
      #expect(found.contains(known))
    }
  }

  @Test func noArchitectureOpensAFileThatMetadataName() throws {
    for type in registry.plugins(of: .architecture) {
      for option in type.options where option.namesFile {
        let source = Checkpoint(
          metadata: [
            "architecture": .string("\(type.name):\(option.key)=/etc/hostname"), "classes": 10,
            "input": .array([.integer(1), .integer(8), .integer(8)]),
          ])
        #expect(
          throws: CheckpointError.namesFile(
            field: "architecture", option: option.key, file: "/etc/hostname")
        ) { try source.network(from: registry) }
      }
    }
  }

  /// A method that learns while it joins tells for how long.
  @Test func methodsThatTrainTellTheirEpochs() throws {
    let network = try Network(
      inputShape: [4],
      layers: [.dense(outputs: 3, bias: true), .relu, .dense(outputs: 2, bias: true)])
    for type in registry.plugins(of: .method) {
      let connection = try registry.connection(MethodExpression(PluginReference(name: type.name)))
      let learnsOnce = type is any LearnableMethod.Type
      let trains = connection.traits.isLearnable && !learnsOnce
      #expect((connection.cost(joining: network).epochs > 0) == trains, "\(type.name)")
    }
    let cost = try registry.connection(MethodExpression("garipov:epochs=7,points=5"))
      .cost(joining: network)
    #expect(cost.epochs == 7)
    #expect(cost.bytes == 8 * 5 * 23)
    // Forward, and twice as much backward, for each epoch and sample.
    let work: Double = 4 * 3 + 3 + 3 * 2
    let epochsOfSamples: Double = 7 * 100
    #expect(
      cost.trainingWork(of: network, samples: 100) == 3 * epochsOfSamples * work)
    // A modifier's cost is added to its method's.
    let adjusted = try registry.connection(MethodExpression("ot+wa")).cost(joining: network)
    #expect(adjusted.bytes == 8 * 9 + 16 * 9)
  }
}
