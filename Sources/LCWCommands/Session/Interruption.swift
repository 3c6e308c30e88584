// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import Synchronization

/// Long work was stopped by the user; what it left behind is said.
struct Interruption: Error, CustomStringConvertible {
  var description: String
}

/// Work that looks now and then whether the user asked to stop, so that it can stop at a good place;
/// and whether the process it works for is gone, if it works for one.
///
/// It lasts as long as the watch lives. Watches nest: a signal reaches all there are.
final class InterruptionWatch {
  /// Whether the user asked to stop; it can be asked from any thread.
  let flag: Flag
  private let number: Int
  private let timer: (any DispatchSourceTimer)?

  /// - Parameter parent: The process that started this one and waits for it.
  init(parent: Int32? = nil) {
    let flag = Flag()
    self.flag = flag
    timer = parent.map { parent in
      let timer = DispatchSource.makeTimerSource(queue: .global())
      timer.schedule(deadline: .now(), repeating: 0.5)
      // Whoever's parent ends gets another one.
      timer.setEventHandler { if getppid() != parent { flag.set() } }
      timer.resume()
      return timer
    }
    number = StopSignals.shared.add(.flag(flag))
  }

  deinit {
    timer?.cancel()
    StopSignals.shared.remove(number)
  }

  /// Whether the user asked to stop.
  var isInterrupted: Bool { flag.isSet }

  /// Ends the work if the user asked to stop.
  /// - Throws: ``Interruption``.
  func check(_ outcome: @autoclosure () -> String) throws {
    guard !isInterrupted else { throw Interruption(description: outcome()) }
  }

  /// Does work that can't look at the watch and leaves nothing behind, such as reading a data set:
  /// the process ends at once if it is asked to.
  ///
  /// - Parameter outcome: What is said then.
  /// - Throws: ``Interruption`` if the user asked before, and what `work` throws.
  func leavingAtOnce<Result>(
    _ outcome: String, _ work: () throws -> Result
  ) throws -> Result {
    try check(outcome)
    let number = StopSignals.shared.add(.leave(outcome))
    defer { StopSignals.shared.remove(number) }
    return try work()
  }

  /// A switch that is turned once.
  final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    func set() { value.store(true, ordering: .relaxed) }

    /// Whether it was turned.
    var isSet: Bool { value.load(ordering: .relaxed) }
  }
}
