// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct ShuffleTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("shuffle", count: 1)
  }

  @Test
  func `keeps the shape, and holds units unless it moves none`() throws {
    try expectText("shuffle 3")
    try expectShape("shuffle 3", [[6, 2, 2]], becomes: [6, 2, 2])
    try expectShape("shuffle 2", [[6]], becomes: [6])
    try expectUnits("shuffle 3", [[6, 2, 2]], .mixed)
    try expectUnits("shuffle 1", [[6, 2, 2]], .sameUnits)
    try expectUnits("shuffle 6", [[6]], .sameUnits)
    try expectGradients("shuffle 3", [[6, 2, 3]])
  }

  @Test
  func `what does not fit is said`() {
    expectRefusal(of: "shuffle", saying: "a number of groups after shuffle")
    expectRefusal(of: "shuffle 0", saying: "a number of groups after shuffle")
    expectRefusal(of: .shuffle(groups: 4), behind: [[6, 2, 2]], saying: "make no 4 equal groups")
    expectRefusal(of: .shuffle(groups: 0), behind: [[6, 2, 2]], saying: "from 1 on")
  }
}
