// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Synchronization
import Testing

@Suite struct WorkersTests {
  private struct Failure: Error, Equatable {
    var index: Int
  }

  @Test(arguments: [1, 2, 3, 16], [0, 1, 2, 1000]) func mapKeepsTheOrder(workers: Int, count: Int)
    throws
  {
    let squares = try Workers(workers).map(count) { $0 * $0 }
    #expect(squares == (0..<count).map { $0 * $0 })
    #expect(Workers(workers).values(count) { $0 * $0 } == squares)
  }

  @Test(arguments: [1, 2, 5]) func mapThrowsTheErrorOfTheLowestIndex(workers: Int) {
    #expect(throws: Failure(index: 30)) {
      try Workers(workers).map(100) { index in
        if index % 30 == 0, index > 0 { throw Failure(index: index) }
      }
    }
  }

  @Test(arguments: [1, 2, 5], [0, 1, 777]) func forEachVisitsEachOnce(workers: Int, count: Int) {
    let visits = Mutex([Int](repeating: 0, count: count))
    Workers(workers).forEach(count) { index in visits.withLock { $0[index] += 1 } }
    #expect(visits.withLock { $0 } == [Int](repeating: 1, count: count))
  }

  @Test func thereIsAlwaysOne() {
    #expect(Workers(0).count == 1)
    #expect(Workers(-3).count == 1)
    #expect(Workers.serial.count == 1)
    #expect(Workers.available.count >= 1)
  }
}
