// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct GELUTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("gelu", count: 2)
  }

  @Test
  func `is written as it is read, keeps shapes and passes units`() throws {
    try expectText("gelu")
    for shape in [[5], [3, 2, 2], [2, 3]] as [Shape] {
      try expectShape("gelu", [shape], becomes: shape)
      try expectUnits("gelu", [shape], .sameUnits)
    }
  }

  @Test
  func `has the gradients of central differences`() throws {
    try expectGradients("gelu", [[3, 2, 2]])
  }

  @Test
  func `has a form by tanh`() throws {
    try expectText("gelu tanh")
    try expectGradients("gelu tanh", [[3, 2, 2]])
    #expect(Layer.gelu(tanh: true).description == "gelu tanh" && Layer.gelu == .gelu(tanh: false))
  }
}
