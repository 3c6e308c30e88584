// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct SiLUTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("silu", count: 1)
  }

  @Test
  func `is written as it is read, keeps shapes and passes units`() throws {
    try expectText("silu")
    for shape in [[5], [3, 2, 2], [2, 3]] as [Shape] {
      try expectShape("silu", [shape], becomes: shape)
      try expectUnits("silu", [shape], .sameUnits)
    }
  }

  @Test
  func `has the gradients of central differences`() throws {
    try expectGradients("silu", [[3, 2, 2]])
  }

  @Test
  func `takes no words`() throws {
    #expect(throws: OperationProblem.self) { try parse("silu 1") }
  }
}
