// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct ReshapeTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("reshape", count: 1)
  }

  @Test
  func `keeps values in their order and tells what becomes of units`() throws {
    try expectText("reshape 6x4")
    try expectText("reshape 24")
    try expectShape("reshape 6x4", [[2, 3, 4]], becomes: [6, 4])
    try expectUnits("reshape 8x1x1", [[8]], .sameUnits)
    try expectUnits("reshape 2x12", [[2, 3, 4]], .sameUnits)
    try expectUnits("reshape 24", [[2, 3, 4]], .spread(over: 12))
    try expectUnits("reshape 6x4", [[2, 3, 4]], .spread(over: 3))
    try expectUnits("reshape 2x6", [[4, 3]], .mixed)
    try expectUnits("reshape 6x2", [[4, 3]], .mixed)
    try expectGradients("reshape 6x4", [[2, 3, 4]])
  }

  @Test(
    arguments: [
      "reshape", "reshape 0x4", "reshape -1x4", "reshape 4x", "reshape 1x1x1x1x1x1x1x1x1",
      "reshape 9999999999",
    ])
  func `words that are no sizes are refused`(text: String) {
    expectRefusal(of: text, saying: "sizes such as 8x1x1")
  }

  @Test
  func `what does not fit is said`() {
    expectRefusal(of: .reshape([5, 5]), behind: [[24]], saying: "has not as many values as [5, 5]")
    expectRefusal(of: .reshape([.max, 2]), behind: [[24]], saying: "too large")
    expectRefusal(of: .reshape([1 << 32, 1 << 32]), behind: [[24]], saying: "too large")
    expectRefusal(of: .reshape([-2, -12]), behind: [[24]], saying: "too large")
    expectRefusal(of: .reshape([]), behind: [[24]], saying: "1 to 8 sizes")
  }
}
