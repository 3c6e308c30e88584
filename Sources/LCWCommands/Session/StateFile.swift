// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore

/// Keeps the state of a method that learns for long in a file beside its output.
struct StateFile: ConnectionStore {
  private let path: String
  private let session: Session
  private let isResuming: Bool

  /// `x.state.lcw` for an output `x.lcw`. What is there is gone on from only if that is asked for.
  init(besides output: String, session: Session, isResuming: Bool) {
    let name = URL(fileURLWithPath: output).deletingPathExtension().path
    path = "\(name).state.lcw"
    self.session = session
    self.isResuming = isResuming
  }

  func restore() throws -> Checkpoint? {
    guard isResuming, FileManager.default.fileExists(atPath: path) else { return nil }
    return try Checkpoint(reading: try session.open(path))
  }

  func keep(_ state: Checkpoint) throws { try session.write(state, to: path) }

  /// Removes the state, once it is not needed any more.
  func remove() {
    try? FileManager.default.removeItem(atPath: path)
  }
}
