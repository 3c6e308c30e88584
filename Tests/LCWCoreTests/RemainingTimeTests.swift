// SPDX-License-Identifier: Apache-2.0
import LCWCore
import Testing

struct RemainingTimeTests {
  @Test func `a steady pace gives the time that is left`() {
    var remaining = RemainingTime()
    #expect(remaining.left(afterShare: 0, at: .seconds(100)) == nil)
    #expect(remaining.left(afterShare: 0, at: .seconds(101)) == nil)
    #expect(remaining.left(afterShare: 0.25, at: .seconds(110)) == .seconds(30))
    #expect(remaining.left(afterShare: 1, at: .seconds(140)) == .zero)
  }

  @Test func `a phase does not count what was before it`() {
    var remaining = RemainingTime()
    _ = remaining.left(afterShare: 0, at: .zero)
    _ = remaining.left(afterShare: 1, at: .seconds(1000))
    #expect(remaining.left(afterShare: 0, at: .seconds(1000)) == nil)
    #expect(remaining.left(afterShare: 0.5, at: .seconds(1003)) == .seconds(3))
  }

  @Test func `what goes on counts from where it went on`() {
    var remaining = RemainingTime()
    #expect(remaining.left(afterShare: 0.5, at: .seconds(1)) == nil)
    #expect(remaining.left(afterShare: 0.75, at: .seconds(11)) == .seconds(10))
  }
}
