// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct SigmoidTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("sigmoid", count: 1)
  }

  @Test
  func `is written as it is read, keeps shapes and passes units`() throws {
    try expectText("sigmoid")
    for shape in [[5], [3, 2, 2], [2, 3]] as [Shape] {
      try expectShape("sigmoid", [shape], becomes: shape)
      try expectUnits("sigmoid", [shape], .sameUnits)
    }
  }

  @Test
  func `has the gradients of central differences`() throws {
    try expectGradients("sigmoid", [[3, 2, 2]])
  }

  @Test
  func `takes no words`() throws {
    #expect(throws: OperationProblem.self) { try parse("sigmoid 1") }
  }
}
