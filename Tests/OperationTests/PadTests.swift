// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct PadTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("pad", count: 2)
  }

  @Test
  func `puts zeros around images or channels`() throws {
    try expectText("pad 1x2x0x1")
    try expectText("pad 1x1x1x1", writtenAs: "pad 1")
    try expectText("pad channels 1x2")
    try expectText("pad channels 8", writtenAs: "pad channels 8x8")
    try expectShape("pad 1x2x0x1", [[2, 2, 3]], becomes: [2, 3, 6])
    try expectShape("pad channels 1x2", [[2, 2, 3]], becomes: [5, 2, 3])
    try expectShape("pad channels 1x2", [[2]], becomes: [5])
    try expectUnits("pad 1", [[2, 2, 3]], .sameUnits)
    try expectUnits("pad channels 1x2", [[2, 2, 3]], .shifted(by: 1))
    for (text, input) in [
      ("pad 1x2x0x1", [2, 2, 3]), ("pad channels 1x2", [2, 2, 3]), ("pad channels 2x0", [3]),
    ]
      as [(String, Shape)]
    {
      try expectGradients(text, [input])
    }
  }

  @Test(arguments: [
    "pad", "pad -1", "pad 1x2", "pad channels", "pad channels 1x2x3", "pad 2147483648", "pad x",
  ])
  func `words that are no numbers are refused`(text: String) {
    #expect(throws: OperationProblem.self) { try parse(text) }
  }

  @Test
  func `what does not fit is said`() throws {
    expectRefusal(
      of: .pad(ImagePadding(1)), behind: [[5]], saying: "needs [channels, height, width]")
    expectRefusal(of: .pad(ImagePadding(-1)), behind: [[2, 3, 3]], saying: "negative or too large")
    expectRefusal(
      of: .pad(ImagePadding(.max)), behind: [[2, 3, 3]], saying: "negative or too large")
    expectRefusal(
      of: .padChannels(before: -1, behind: 0), behind: [[2]], saying: "negative or too large")
    expectRefusal(
      of: .padChannels(before: .max, behind: .max), behind: [[2]], saying: "negative or too large")
    expectRefusal(of: .padChannels(before: 1, behind: 1), behind: [[]], saying: "needs channels")
    let huge = try parse("pad 2147483647")
    expectRefusal(of: Layer(huge), behind: [[2, 3, 3]], saying: "too large")
  }
}
