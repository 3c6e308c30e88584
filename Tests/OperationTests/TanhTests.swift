// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct TanhTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("tanh", count: 1)
  }

  @Test
  func `is written as it is read, keeps shapes and passes units`() throws {
    try expectText("tanh")
    for shape in [[5], [3, 2, 2], [2, 3]] as [Shape] {
      try expectShape("tanh", [shape], becomes: shape)
      try expectUnits("tanh", [shape], .sameUnits)
    }
  }

  @Test
  func `has the gradients of central differences`() throws {
    try expectGradients("tanh", [[3, 2, 2]])
  }

  @Test
  func `takes no words`() throws {
    #expect(throws: OperationProblem.self) { try parse("tanh 1") }
  }
}
