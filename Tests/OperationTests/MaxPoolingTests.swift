// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct MaxPoolingTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("maxpool", count: 3)
  }

  @Test(
    arguments: [
      ("maxpool 2", nil), ("maxpool 3x2 stride 2 ceil", nil), ("maxpool 2x2 stride 2", "maxpool 2"),
      ("maxpool 3x2 stride 3x2 pad 1x0x0x1", "maxpool 3x2 pad 1x0x0x1"),
      ("maxpool 3 ceil dilation 2 stride 1", "maxpool 3 stride 1 ceil dilation 2"),
    ] as [(String, String?)])
  func `is written as it is read`(text: String, canonical: String?) throws {
    try expectText(text, writtenAs: canonical)
    try expectUnits("maxpool 2", [[3, 4, 4]], .sameUnits)
  }

  @Test
  func `a square window is the same either way`() {
    #expect(
      PoolingWindows(size: 3, stride: 2, padding: 1)
        == PoolingWindows(size: [3, 3], strides: [2, 2], padding: ImagePadding(1)))
    #expect(PoolingWindows(size: [3, 2]).strides == [3, 2])
  }

  @Test(arguments: [
    "maxpool", "maxpool 0", "maxpool 2 exclude-pad", "maxpool 2 ceil ceil", "maxpool 2 stride",
  ])
  func `words that mean nothing are refused`(text: String) {
    #expect(throws: OperationProblem.self) { try parse(text) }
  }

  @Test
  func `what does not fit is said`() {
    let image: Shape = [2, 3, 3]
    expectRefusal(of: .maxPool(.init(size: 4, stride: 1)), behind: [image], saying: "does not fit")
    expectRefusal(
      of: .maxPool(.init(size: [3, 1], padding: ImagePadding(1))), behind: [image],
      saying: "half a window")
    expectRefusal(
      of: .maxPool(.init(size: [2]), dilation: [1, 1]), behind: [image],
      saying: "a height and a width")
    expectRefusal(
      of: .maxPool(.init(size: 2, stride: 1), dilation: [.max, 1]), behind: [image],
      saying: "too large")
    expectRefusal(
      of: .maxPool(.init(size: 2, stride: 1, padding: 1), dilation: [4, 1]), behind: [image],
      saying: "windows miss")
    expectRefusal(
      of: .maxPool(.init(size: 2, stride: 1)), behind: [[5]], saying: "[channels, height, width]")
  }

  @Test(arguments: [
    "maxpool 2 stride 1", "maxpool 3x2 stride 2 pad 1x0x0x1 ceil", "maxpool 2 stride 1 dilation 2",
  ])
  func `has the gradients of central differences`(text: String) throws {
    try expectGradients(text, [[2, 5, 4]])
  }
}
