// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import Synchronization

/// Long work was stopped by the user; what it left behind is said.
struct Interruption: Error, CustomStringConvertible {
  var description: String
}

/// Notices SIGINT and SIGTERM while it lives, so that long work can stop at a good place; and that
/// the process it works for is gone, if it works for one.
final class InterruptionWatch {
  /// Whether the user asked to stop; it can be asked from any thread.
  let flag: Flag
  private let sources: [any DispatchSourceSignal]
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
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        // Whoever asks twice does not want to wait.
        if flag.value.exchange(true, ordering: .relaxed) { _exit(130) }
      }
      source.resume()
      return source
    }
  }

  deinit {
    for source in sources { source.cancel() }
    timer?.cancel()
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }

  /// Whether the user asked to stop.
  var isInterrupted: Bool { flag.isSet }

  /// A switch that is turned once.
  final class Flag: Sendable {
    fileprivate let value = Atomic<Bool>(false)

    fileprivate func set() { value.store(true, ordering: .relaxed) }

    /// Whether it was turned.
    var isSet: Bool { value.load(ordering: .relaxed) }
  }
}
