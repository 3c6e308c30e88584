// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct ClipTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("clip", count: 1)
  }

  @Test
  func `is written as it is read, keeps shapes and passes units`() throws {
    try expectText("clip 0 6")
    for shape in [[5], [3, 2, 2], [2, 3]] as [Shape] {
      try expectShape("clip 0 6", [shape], becomes: shape)
      try expectUnits("clip 0 6", [shape], .sameUnits)
    }
  }

  @Test
  func `has the gradients of central differences`() throws {
    try expectGradients("clip 0 6", [[3, 2, 2]])
  }

  @Test
  func `bounds are written as short as they can be`() throws {
    try expectText("clip -1.0 1e0", writtenAs: "clip -1 1")
    try expectText("clip 0.5 6", writtenAs: "clip 0.5 6")
    try expectGradients("clip -0.5 0.75", [[9]])
  }

  @Test(arguments: [
    "clip", "clip 1", "clip 6 0", "clip 1 1", "clip 0 inf", "clip 0 1e-60", "clip 0 1e39",
  ])
  func `needs a lower and a greater upper bound`(text: String) {
    expectRefusal(of: text, saying: "a lower and a greater upper bound")
  }

  @Test
  func `bounds are checked in code too`() {
    expectRefusal(of: .clip(lower: 1, upper: 1), behind: [[3]], saying: "a greater upper bound")
    expectRefusal(of: .clip(lower: .nan, upper: 1), behind: [[3]], saying: "a greater upper bound")
  }
}
