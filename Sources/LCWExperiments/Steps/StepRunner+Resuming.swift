// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import Synchronization

/// What work that may have been interrupted has come to.
struct Resumption<Result> {
  var result: Result
  var start: ResumptionStart
}

/// What interrupted work began from.
enum ResumptionStart {
  /// Nothing.
  case new
  /// The state that was kept.
  case state
  /// Nothing, for the state that was kept could not be gone on from.
  case anew(reason: String)

  /// What a step's result says of it.
  var json: [String: JSONValue] {
    switch self {
    case .new: ["resumed": false]
    case .state: ["resumed": true]
    case .anew(let reason): ["begun_anew": .string(reason), "resumed": false]
    }
  }
}

extension StepRunner {
  /// Does work that keeps a state from the state that is there. One that can't be read, or of other
  /// circumstances, such as another number of threads, whose last bits would be others, is removed,
  /// and all begins anew. What goes wrong in the work itself leaves the state as it is.
  func resuming<Result>(
    _ step: Step, in folder: ResultFolder, _ work: (StateStore) throws -> Result
  ) throws -> Resumption<Result> {
    let file = folder.state(of: step)
    let store = StateStore(file: file, open: open, write: write)
    guard FileManager.default.fileExists(atPath: file.path) else {
      return Resumption(result: try work(store), start: .new)
    }
    do {
      return Resumption(result: try work(store), start: .state)
    } catch let error as any DescribedError where store.isRestoring {
      let start = beginAnew(step, after: error)
      guard unlink(file.path) == 0 || errno == ENOENT else {
        throw FileError.failed(
          operation: "remove", file: file.path, reason: String(cString: strerror(errno)))
      }
      let next = StateStore(file: file, open: open, write: write)
      return Resumption(result: try work(next), start: start)
    }
  }

  /// Says that a step begins anew, and why.
  private func beginAnew(_ step: Step, after error: any DescribedError) -> ResumptionStart {
    notice("\(step.name) is restarted, because of its state: \(error.description)")
    return .anew(reason: error.description)
  }
}

/// Keeps what a method has learned so far beside its step's result.
final class StateStore: ConnectionStore {
  private enum Phase {
    case before
    case restoring
    case working
  }

  private let file: URL
  private let open: @Sendable (URL) throws -> any CheckpointSource
  private let write: @Sendable (Checkpoint, URL) throws -> Void
  private let phase = Mutex(Phase.before)

  init(
    file: URL, open: @escaping @Sendable (URL) throws -> any CheckpointSource,
    write: @escaping @Sendable (Checkpoint, URL) throws -> Void
  ) {
    self.file = file
    self.open = open
    self.write = write
  }

  /// Whether a method is reading the state, or taking it over: it has asked for it, and has neither
  /// told of progress since nor kept another.
  var isRestoring: Bool { phase.withLock { $0 == .restoring } }

  /// The method has taken over what it was given.
  func workBegins() { phase.withLock { $0 = .working } }

  func restore() throws -> Checkpoint? {
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    phase.withLock { $0 = .restoring }
    return try Checkpoint(reading: try open(file))
  }

  func discard() { try? FileManager.default.removeItem(at: file) }

  func keep(_ state: Checkpoint) throws {
    workBegins()
    try write(state, file)
  }
}
