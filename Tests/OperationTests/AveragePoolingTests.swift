// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct AveragePoolingTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("avgpool", count: 5)
  }

  @Test(
    arguments: [
      ("avgpool 2", nil), ("avgpool 3 stride 2 pad 1 ceil exclude-pad", nil),
      ("avgpool 3 exclude-pad stride 2", "avgpool 3 stride 2 exclude-pad"),
      ("avgpool 1 stride 2", nil),
    ] as [(String, String?)])
  func `is written as it is read`(text: String, canonical: String?) throws {
    try expectText(text, writtenAs: canonical)
    try expectUnits("avgpool 2", [[3, 4, 4]], .sameUnits)
  }

  @Test(arguments: [
    "avgpool", "avgpool 2 dilation 2", "avgpool 2 exclude-pad exclude-pad", "avgpool 2x2x2",
  ])
  func `words that mean nothing are refused`(text: String) {
    #expect(throws: OperationProblem.self) { try parse(text) }
  }

  @Test
  func `what does not fit is said`() {
    expectRefusal(
      of: .averagePool(.init(size: 4, stride: 1)), behind: [[2, 3, 3]], saying: "does not fit")
    expectRefusal(
      of: .averagePool(.init(size: 2, stride: 1, padding: .max)), behind: [[2, 3, 3]],
      saying: "half a window")
  }

  @Test(arguments: [
    "avgpool 2 stride 1", "avgpool 3x2 stride 2 pad 1x0x0x1 ceil exclude-pad", "avgpool 1 stride 2",
  ])
  func `has the gradients of central differences`(text: String) throws {
    try expectGradients(text, [[2, 5, 4]])
  }
}
