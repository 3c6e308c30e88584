// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct ConvolutionTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("conv", count: 7)
  }

  @Test(
    arguments: [
      ("conv 6 3x3", nil), ("conv 6 3x2 stride 2x1 pad 1x0x2x1 dilation 1x2 groups 2 no-bias", nil),
      ("conv 6 3x3 pad 1x1x1x1 stride 2x2", "conv 6 3x3 stride 2 pad 1"),
      ("conv 6 3 groups 1 dilation 1 pad 0", "conv 6 3x3"),
      ("conv 8 3x3 groups 4 pad 0x1x0x0", "conv 8 3x3 pad 0x1x0x0 groups 4"),
    ] as [(String, String?)])
  func `is written as it is read`(text: String, canonical: String?) throws {
    try expectText(text, writtenAs: canonical)
  }

  @Test
  func `the initialisers of square and of other kernels agree`() {
    #expect(
      Convolution(filters: 4, kernel: 3, stride: 2, padding: 1)
        == Convolution(filters: 4, kernel: [3, 3], strides: [2, 2], padding: ImagePadding(1)))
    #expect(
      Convolution(filters: 4, kernel: [3, 1], stride: 2, padding: 0, bias: false)
        == Convolution(filters: 4, kernel: [3, 1], strides: [2, 2], bias: false))
  }

  @Test(
    arguments: [
      "conv", "conv 0 3x3", "conv 4", "conv 4 3x3x3", "conv 4 3x3 stride 0",
      "conv 4 3x3 stride 1x2x3",
      "conv 4 3x3 pad -1", "conv 4 3x3 pad 1x2", "conv 4 3x3 dilation 0", "conv 4 3x3 groups 0",
      "conv 4 3x3 groups 2x2", "conv 4 3x3 pad 2147483648", "conv 4 3x3 pad 1 pad 1",
      "conv 4 3x3 stride 99999999999999999999",
    ])
  func `words that mean nothing are refused`(text: String) {
    #expect(throws: OperationProblem.self) { try parse(text) }
  }

  static let faults: [(Convolution, Shape, String)] = [
    (
      .init(filters: 4, kernel: [3, 3], groups: 3), [4, 5, 5],
      "3 groups, which do not divide 4 channels"
    ),
    (
      .init(filters: 3, kernel: [3, 3], groups: 2), [4, 5, 5],
      "2 groups, which do not divide 3 filters"
    ),
    (.init(filters: 4, kernel: [3, 3], groups: 0), [4, 5, 5], "0 groups"),
    (.init(filters: 4, kernel: [3, 3], groups: -2), [4, 5, 5], "-2 groups"),
    (.init(filters: 4, kernel: [3, 3], groups: .max), [4, 5, 5], "do not divide 4 channels"),
    (
      .init(filters: 4, kernel: [3, 3], dilation: [3, 3]), [4, 5, 5],
      "with dilation [3, 3] that does not fit"
    ),
    (.init(filters: 4, kernel: [3, 3], dilation: [.max, 1]), [4, 5, 5], "too large"),
    (.init(filters: 4, kernel: [.max, 3], dilation: [2, 1]), [4, 5, 5], "too large"),
    (.init(filters: 4, kernel: [3]), [4, 5, 5], "a kernel of a height and a width"),
    (.init(filters: 4, kernel: [3, 3], strides: [1]), [4, 5, 5], "a height and a width"),
    (.init(filters: 4, kernel: [3, 3], strides: [1, 0]), [4, 5, 5], "a size or stride under 1"),
    (
      .init(
        filters: 4, kernel: [1, 1], padding: .init(top: 0, left: .max, bottom: 0, right: .max)),
      [4, 5, 5], "too large"
    ),
    (
      .init(filters: 4, kernel: [1, 1], padding: .init(top: 0, left: -1, bottom: 0, right: 0)),
      [4, 5, 5], "a negative padding"
    ),
    (
      .init(
        filters: 1 << 30, kernel: [1, 1],
        padding: .init(top: 1 << 30, left: 1 << 30, bottom: 0, right: 0)),
      [4, 5, 5], "too large"
    ),
    (.init(filters: 4, kernel: [3, 3]), [5], "needs [channels, height, width]"),
  ]

  @Test(arguments: faults.indices)
  func `what does not fit is said`(index: Int) {
    let (convolution, input, says) = Self.faults[index]
    expectRefusal(of: .convolution(convolution), behind: [input], saying: says)
  }

  @Test
  func `units are read and written, part by part, or pass a depthwise one`() throws {
    try expectUnits("conv 6 3x3", [[4, 5, 5]], .new, axes: 3)
    try expectUnits("conv 6 3x3 groups 2", [[4, 5, 5]], .new, parts: 2, axes: 3)
    try expectUnits("conv 4 3x3 groups 4", [[4, 5, 5]], .sameUnits, axes: 2)
    try expectUnits("conv 12 3x3 groups 4 no-bias", [[4, 5, 5]], .spread(over: 3), axes: 1)
    try expectUnits("conv 3 3x3", [[1, 5, 5]], .new, axes: 3)
    #expect(Convolution(filters: 4, kernel: [3, 3], groups: 2).parts == 2)
  }

  @Test
  func `a weight of one group has the initial deviation of its own filters`() throws {
    let whole = try Convolution(filters: 8, kernel: 3).parameters(for: [[4, 5, 5]])
    let parted = try Convolution(filters: 8, kernel: [3, 3], groups: 4).parameters(for: [[4, 5, 5]])
    #expect(whole[0].initial == .normal(deviation: (2 / Float(9 * 8)).squareRoot()))
    #expect(parted[0].initial == .normal(deviation: (2 / Float(9 * 2)).squareRoot()))
    #expect(parted[0].shape == [8, 1, 3, 3])
  }

  @Test(
    arguments: [
      "conv 3 2x3 stride 2x1 pad 1x0x0x2", "conv 4 3x3 pad 1 groups 2",
      "conv 4 2x2 dilation 2x1 groups 4",
    ])
  func `has the gradients of central differences`(text: String) throws {
    try expectGradients(text, [[4, 5, 4]])
  }
}
