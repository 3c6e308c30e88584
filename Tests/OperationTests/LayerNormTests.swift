// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct LayerNormTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("layernorm", count: 4)
  }

  @Test
  func `is written as it is read, and couples units`() throws {
    try expectText("layernorm")
    try expectText("layernorm channels")
    try expectText("layernorm channels epsilon 0.001")
    try expectText("layernorm epsilon 1e-5", writtenAs: "layernorm")
    for text in ["layernorm", "layernorm channels"] {
      try expectShape(text, [[4, 2, 2]], becomes: [4, 2, 2])
      try expectUnits(text, [[4, 2, 2]], .sameUnits, isCoupled: true, axes: 2)
      try expectGradients("\(text) epsilon 0.01", [[4, 2, 2]])
      try expectGradients("\(text) epsilon 0.01", [[5]])
    }
    #expect(try LayerNorm().parameters(for: [[4, 2, 2]]).map(\.shape) == [[4, 2, 2], [4, 2, 2]])
    #expect(try LayerNorm(channels: true).parameters(for: [[4, 2, 2]]).map(\.shape) == [[4], [4]])
  }

  @Test
  func `what does not fit is said`() {
    expectRefusal(of: .layerNorm(), behind: [[]], saying: "needs channels")
    expectRefusal(of: .layerNorm(epsilon: .nan), behind: [[3]], saying: "an epsilon above 0")
    expectRefusal(of: "layernorm epsilon 0", saying: "a number above 0")
  }
}
