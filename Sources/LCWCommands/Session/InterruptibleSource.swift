// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension CheckpointSource {
  /// Writes this checkpoint, until the user asks to stop. A file is written aside and then put in its
  /// place, so that ending early leaves what there was.
  /// - Throws: ``Interruption``, and what `write` throws.
  func whileWanted(
    writing path: String, _ write: (any CheckpointSource) throws -> Void
  ) throws {
    let watch = InterruptionWatch()
    try withExtendedLifetime(watch) {
      try write(
        InterruptibleSource(
          self, until: watch.flag,
          outcome: "\(path) was not written; run the same command again"))
    }
  }
}

/// What is being written, tensor by tensor, until the user asks to stop.
struct InterruptibleSource: CheckpointSource {
  private let source: any CheckpointSource
  private let flag: InterruptionWatch.Flag
  private let outcome: String

  /// - Parameter outcome: What is said when the writing ends early.
  init(_ source: any CheckpointSource, until flag: InterruptionWatch.Flag, outcome: String) {
    self.source = source
    self.flag = flag
    self.outcome = outcome
  }

  var kind: CheckpointKind { source.kind }
  var metadata: [String: JSONValue] { source.metadata }
  var entries: [TensorEntry] { source.entries }
  var unreadable: [UnreadableTensor] { source.unreadable }

  /// The tensor of a name.
  /// - Throws: ``Interruption``, and what reading throws.
  func tensor(named name: String) throws -> StoredTensor {
    guard !flag.isSet else { throw Interruption(description: outcome) }
    return try source.tensor(named: name)
  }
}
