// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct LocalResponseNormTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("lrn", count: 2)
  }

  @Test
  func `is written as it is read, and mixes units with their neighbours`() throws {
    try expectText("lrn 5 alpha 0.0001 beta 0.75 k 1", writtenAs: "lrn 5")
    try expectText("lrn 4 alpha 2.0 beta 0.5 k 3.0")
    try expectShape("lrn 5", [[4, 2, 2]], becomes: [4, 2, 2])
    try expectUnits("lrn 5", [[4, 2, 2]], .mixed)
    try expectUnits("lrn 1", [[4, 2, 2]], .sameUnits)
    try expectGradients("lrn 3 alpha 0.5 beta 0.6 k 2", [[5, 2, 1]])
    #expect(Layer.localResponseNorm(size: 5, k: 2).description == "lrn 5 k 2.0")
  }

  @Test(arguments: [
    "lrn", "lrn 0", "lrn 5 alpha -1", "lrn 5 beta 17", "lrn 5 k 0", "lrn 5 k 1 k 1",
  ])
  func `other numbers are refused`(text: String) {
    #expect(throws: OperationProblem.self) { try parse(text) }
  }

  @Test
  func `numbers are checked in code too`() {
    for layer in [
      Layer.localResponseNorm(size: 0), .localResponseNorm(size: .max),
      .localResponseNorm(size: 5, k: 0),
    ] {
      expectRefusal(of: layer, behind: [[4]], saying: "needs a size from 1 on")
    }
  }
}
