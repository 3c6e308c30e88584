// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore

/// Keeps the state of a method that learns for long in a file beside its output.
struct StateFile: ConnectionStore {
  private let path: String
  private let session: Session
  private let output: ReservedOutput

  /// `x.lcw.state.lcw` for an output `x.lcw`.
  ///
  /// - Throws: ``SessionError`` if it is an input, if it exists and is not to be gone on from, or
  ///   is not there and should be.
  init(besides output: String, inputs: [String], session: Session, isResuming: Bool) throws {
    path = "\(output).state.lcw"
    self.session = session
    try OutputCheck.check(path, inputs: inputs)
    let isThere = FileManager.default.fileExists(atPath: path)
    if isThere, !isResuming {
      throw SessionError.wrongUse(
        "\(path) holds the state of an interrupted run; continue with --resume, or remove it "
          + "to start again")
    }
    if !isThere, isResuming {
      throw SessionError.wrongUse("there is no \(path) to resume from")
    }
    self.output = try session.reserve(
      path, holding: .connectionModel, inputs: inputs,
      existing: isResuming ? .replaced : .refused)
  }

  /// What is left of an interrupted run.
  var outcome: String {
    FileManager.default.fileExists(atPath: path)
      ? "finished epochs are kept in \(path); --resume continues from there"
      : "no epoch was finished, and nothing is kept"
  }

  func restore() throws -> Checkpoint? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return try Checkpoint(reading: try session.open(path))
  }

  func keep(_ state: Checkpoint) throws {
    try orLeavingState { try output.write(state) }
  }

  /// Does work at whose interruption the state that was kept is what is left.
  /// - Throws: ``Interruption`` that says so, and what `work` throws.
  func orLeavingState(_ work: () throws -> Void) throws {
    do { try work() } catch is Interruption { throw Interruption(description: outcome) }
  }

  func discard() { remove() }

  /// Removes the state, once it is not needed any more.
  func remove() {
    try? FileManager.default.removeItem(atPath: path)
  }
}
