// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import Synchronization

/// A signal that came before Dispatch listened to it; 0 if none has.
private let early = Atomic<Int32>(0)

/// SIGINT and SIGTERM, which a process has once: whoever watches shares them.
///
/// What a signal does is decided by the work that was begun last and has not ended. Work that looks
/// now and then whether it should stop has its flag set, and those of all work around it. Work that
/// can't look, and that leaves nothing behind, ends at once, as the process does where nobody works.
/// Either way it ends with 130 and a line.
final class StopSignals: Sendable {
  static let shared = StopSignals()

  /// What a signal does to a piece of work.
  enum Reaction {
    /// The work looks at the flag.
    case flag(InterruptionWatch.Flag)
    /// The process says this and ends.
    case leave(String)
  }

  private struct State {
    var reactions: [(number: Int, reaction: Reaction)] = []
    var nextNumber = 0
    /// The signals that flags were set for. The same one again ends the process; another need not be
    /// the user's second word: a terminal's SIGINT reaches workers whose parent sends them SIGTERM.
    var taken: Set<Int32> = []
    var sources: [any DispatchSourceSignal] = []
    var command = ""
  }

  private let state = Mutex(State())

  private init() {}

  /// Begins to watch; from now on no signal ends the process without a word.
  ///
  /// The sources stay for as long as the process lives. Dispatch has a handler of its own for each,
  /// which anybody who sets another, or the system's, takes away from all watches there are. It comes a
  /// moment later, so that a signal may come before: that one is kept, and handled here.
  func begin(command: String? = nil) {
    let missed = state.withLock { state -> Int32 in
      if let command { state.command = command }
      guard state.sources.isEmpty else { return 0 }
      early.store(0, ordering: .relaxed)
      // SIGINT last: who sees that it is caught may send either.
      let numbers = [SIGTERM, SIGINT]
      for number in numbers { signal(number) { early.store($0, ordering: .relaxed) } }
      let registered = DispatchSemaphore(value: 0)
      state.sources = numbers.map { number in
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setRegistrationHandler { registered.signal() }
        source.setEventHandler { StopSignals.shared.handle(number) }
        source.resume()
        return source
      }
      for _ in numbers { registered.wait() }
      return early.exchange(0, ordering: .relaxed)
    }
    if missed != 0 { handle(missed) }
  }

  /// Adds work that was begun now, and gives the number to remove it by.
  func add(_ reaction: Reaction) -> Int {
    begin()
    return state.withLock { state in
      state.nextNumber += 1
      state.reactions.append((state.nextNumber, reaction))
      return state.nextNumber
    }
  }

  /// Removes work that has ended.
  func remove(_ number: Int) {
    state.withLock { state in
      state.reactions.removeAll { $0.number == number }
      if state.reactions.isEmpty { state.taken = [] }
    }
  }

  private func handle(_ number: Int32) {
    let last = state.withLock { state -> String? in
      switch state.reactions.last?.reaction {
      case nil:
        let command = state.command.isEmpty ? "lcw" : state.command
        return "what \(command) was doing is not finished; run the same command again"
      case .leave(let outcome): return outcome
      case .flag:
        guard state.taken.insert(number).inserted else {
          return "at once, on the second signal; unfinished work is not kept"
        }
        for case (_, .flag(let flag)) in state.reactions { flag.set() }
        return nil
      }
    }
    guard let last else { return }
    Console.printError((Console.isTerminal ? "\r\u{1B}[K" : "") + "interrupted: \(last)")
    _exit(130)
  }
}
