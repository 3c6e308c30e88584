// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Points already solved for: a path is asked for the same ones several times, and each is the solution of
/// a problem over all samples.
final class SolutionMemory<Solution: Sendable>: Sendable {
  private let solutions = Mutex<[Double: Solution]>([:])
  /// The most bytes kept.
  private let capacity = 1536 << 20

  /// The solutions that are kept of some times.
  func solutions(at times: Set<Double>) -> [Double: Solution] {
    solutions.withLock { $0.filter { times.contains($0.key) } }
  }

  /// Keeps a solution if there is room.
  func keep(_ solution: Solution, at time: Double, bytes: Int) {
    solutions.withLock {
      guard ($0.count + 1) * bytes <= capacity else { return }
      $0[time] = solution
    }
  }
}
