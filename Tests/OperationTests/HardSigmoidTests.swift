// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct HardSigmoidTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("hard-sigmoid", count: 1)
  }

  @Test
  func `is written as it is read, keeps shapes and passes units`() throws {
    try expectText("hard-sigmoid")
    for shape in [[5], [3, 2, 2], [2, 3]] as [Shape] {
      try expectShape("hard-sigmoid", [shape], becomes: shape)
      try expectUnits("hard-sigmoid", [shape], .sameUnits)
    }
  }

  @Test
  func `has the gradients of central differences`() throws {
    try expectGradients("hard-sigmoid", [[3, 2, 2]])
  }

  @Test
  func `takes no words`() throws {
    #expect(throws: OperationProblem.self) { try parse("hard-sigmoid 1") }
  }
}
