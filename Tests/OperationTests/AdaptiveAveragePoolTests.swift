// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct AdaptiveAveragePoolTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("adaptive-avgpool", count: 3)
  }

  @Test
  func `makes images of any size one of its own`() throws {
    try expectText("adaptive-avgpool")
    try expectText("adaptive-avgpool 1", writtenAs: "adaptive-avgpool")
    try expectText("adaptive-avgpool 7", writtenAs: "adaptive-avgpool 7x7")
    try expectShape("adaptive-avgpool", [[4, 3, 5]], becomes: [4, 1, 1])
    try expectShape("adaptive-avgpool 2x7", [[4, 3, 5]], becomes: [4, 2, 7])
    try expectUnits("adaptive-avgpool 2x7", [[4, 3, 5]], .sameUnits)
    #expect(Layer.adaptiveAveragePool().description == "adaptive-avgpool")
  }

  @Test(arguments: ["adaptive-avgpool", "adaptive-avgpool 2x3", "adaptive-avgpool 4x1"])
  func `has the gradients of central differences`(text: String) throws {
    try expectGradients(text, [[2, 3, 4]])
  }

  @Test
  func `what does not fit is said`() {
    expectRefusal(
      of: .adaptiveAveragePool(), behind: [[5]], saying: "needs [channels, height, width]")
    for (height, width) in [(0, 1), (1, -1), (.max, 1), (1, .max)] {
      expectRefusal(
        of: .adaptiveAveragePool(height: height, width: width), behind: [[2, 3, 3]],
        saying: "under 1 or too large")
    }
    expectRefusal(
      of: .adaptiveAveragePool(height: 1 << 31 - 1, width: 1 << 31 - 1), behind: [[1 << 10, 1, 1]],
      saying: "too large")
    expectRefusal(of: "adaptive-avgpool 0", saying: "such as 7x7")
  }
}
