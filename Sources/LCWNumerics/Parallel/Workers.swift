// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How many threads a computation may use: a value that is passed along, not a pool.
///
/// BLAS itself runs on the calling thread; products are split over the workers here, so that one
/// number says what a computation occupies. Results are the same for the same number of workers.
public struct Workers: Sendable, Hashable {
  /// The number of threads, at least one.
  public let count: Int

  /// That many threads.
  public init(_ count: Int) {
    self.count = max(1, count)
  }

  /// The calling thread alone.
  public static let serial = Workers(1)

  /// One for each processor the system has online.
  public static var available: Workers { Workers(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Calls `body` with each index of `0..<count`, on all workers, each taking the next index as
  /// soon as it is free.
  public func forEach(_ count: Int, _ body: @Sendable (Int) -> Void) {
    forEachUnchecked(count, body)
  }

  /// The results of `body` for each index of `0..<count`, in order, computed on all workers.
  /// - Throws: The error of the lowest index whose `body` threw.
  public func map<Value: Sendable>(
    _ count: Int, _ body: @Sendable (Int) throws -> Value
  ) throws -> [Value] {
    var results = [Result<Value, any Error>?](repeating: nil, count: count)
    results.withUnsafeMutableBufferPointer { slots in
      forEachUnchecked(count) { index in slots[index] = Result { try body(index) } }
    }
    return try results.compactMap { try $0?.get() }
  }

  /// As ``map(_:_:)``, for bodies that can't fail.
  public func values<Value: Sendable>(
    _ count: Int, _ body: @Sendable (Int) -> Value
  ) -> [Value] {
    var results = [Value?](repeating: nil, count: count)
    results.withUnsafeMutableBufferPointer { slots in
      forEachUnchecked(count) { index in slots[index] = body(index) }
    }
    return results.compactMap(\.self)
  }

  /// As ``forEach(_:_:)``, for bodies that write to memory of which each index has its own part.
  func forEachUnchecked(_ count: Int, _ body: (Int) -> Void) {
    let threads = min(self.count, count)
    guard threads > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    let next = Counter()
    Workers.onThreads(threads) { _ in
      while true {
        let index = next.take()
        guard index < count else { return }
        body(index)
      }
    }
  }

  /// Splits `0..<count` into one contiguous range for each worker, none but the last shorter than
  /// `grain` or off a multiple of it, and calls `body` with each at the same time.
  func forEachRange(of count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    let units = (count + grain - 1) / grain
    let parts = min(self.count, units)
    guard parts > 1 else {
      if count > 0 { body(0..<count) }
      return
    }
    Workers.onThreads(parts) { part in
      let lower = units * part / parts * grain
      let upper = min(count, units * (part + 1) / parts * grain)
      body(lower..<upper)
    }
  }

  // Dispatch asks for a sendable body, and returns only when all calls have: the callers here give
  // each thread memory of its own, so nothing is shared that is written.
  private static func onThreads(_ count: Int, _ body: (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      nonisolated(unsafe) let body = body
      DispatchQueue.concurrentPerform(iterations: count) { body($0) }
    }
  }
}

/// The next index to work on.
private final class Counter: Sendable {
  private let value = Atomic<Int>(0)

  func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}
