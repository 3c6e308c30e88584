// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct ConcatenateTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("concat", count: 3)
  }

  @Test
  func `puts channels behind each other`() throws {
    try expectText("concat")
    try expectShape("concat", [[3, 2, 2], [1, 2, 2]], becomes: [4, 2, 2])
    try expectUnits("concat", [[3, 2, 2], [1, 2, 2]], .sideBySide)
    try expectGradients("concat", [[3, 2], [1, 2], [2, 2]])
  }

  @Test
  func `what does not fit is said`() {
    for other in [[3, 2, 1], [3], []] as [Shape] {
      expectRefusal(
        of: .concatenate, behind: [[3, 2, 2], other], saying: "differ in their channels only")
    }
    let wide: Shape = [.max]
    expectRefusal(of: .concatenate, behind: [wide, wide], saying: "too many channels")
    let many: Shape = [1 << 40, 1 << 20]
    expectRefusal(
      of: .concatenate, behind: [many, many, many, many, many, many, many, many],
      saying: "too large")
  }
}
