// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct LeakyReLUTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("leaky-relu", count: 1)
  }

  @Test
  func `is written as it is read, keeps shapes and passes units`() throws {
    try expectText("leaky-relu 0.01")
    for shape in [[5], [3, 2, 2], [2, 3]] as [Shape] {
      try expectShape("leaky-relu 0.01", [shape], becomes: shape)
      try expectUnits("leaky-relu 0.01", [shape], .sameUnits)
    }
  }

  @Test
  func `has the gradients of central differences`() throws {
    try expectGradients("leaky-relu 0.01", [[3, 2, 2]])
  }

  @Test(arguments: [-0.5, 0, 0.3, 1, 2])
  func `takes any slope`(slope: Double) throws {
    try expectText("leaky-relu \(slope)")
    try expectGradients("leaky-relu \(slope)", [[7]])
  }

  @Test(arguments: ["leaky-relu", "leaky-relu x", "leaky-relu nan", "leaky-relu 1e39"])
  func `needs a slope in single precision`(text: String) {
    expectRefusal(of: text, saying: "a slope after leaky-relu")
  }

  @Test
  func `a slope that is not finite is refused in code too`() {
    expectRefusal(of: .leakyReLU(slope: .nan), behind: [[3]], saying: "a finite slope")
  }
}
