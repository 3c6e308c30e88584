// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct ELUTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("elu", count: 1)
  }

  @Test
  func `is written as it is read, keeps shapes and passes units`() throws {
    try expectText("elu")
    for shape in [[5], [3, 2, 2], [2, 3]] as [Shape] {
      try expectShape("elu", [shape], becomes: shape)
      try expectUnits("elu", [shape], .sameUnits)
    }
  }

  @Test
  func `has the gradients of central differences`() throws {
    try expectGradients("elu", [[3, 2, 2]])
  }

  @Test
  func `takes an alpha`() throws {
    try expectText("elu 0.5")
    try expectText("elu 1", writtenAs: "elu")
    try expectGradients("elu 0.5", [[9]])
    expectRefusal(of: "elu -1", saying: "a number from 0 on")
    expectRefusal(of: .elu(alpha: -1), behind: [[3]], saying: "an alpha from 0 on")
  }
}
