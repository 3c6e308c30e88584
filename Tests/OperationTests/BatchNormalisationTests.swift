// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct BatchNormalisationTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("batchnorm", count: 3)
  }

  @Test
  func `is written as it is read, usual numbers left out`() throws {
    try expectText("batchnorm")
    try expectText("batchnorm momentum 0.1 epsilon 1e-5", writtenAs: "batchnorm")
    try expectText("batchnorm epsilon 0.001 momentum 0.01")
    #expect(Layer.batchNorm == .batchNorm(epsilon: 1e-5))
    #expect(
      Layer.batchNorm(epsilon: 0.001, momentum: 0.01).description
        == "batchnorm epsilon 0.001 momentum 0.01")
    try expectUnits("batchnorm", [[3, 2, 2]], .sameUnits, axes: 4)
    try expectGradients("batchnorm epsilon 0.01", [[2, 3, 2]])
  }

  @Test(
    arguments: [
      "batchnorm epsilon 0", "batchnorm epsilon -1", "batchnorm epsilon 2", "batchnorm epsilon nan",
      "batchnorm momentum 1.5", "batchnorm momentum", "batchnorm epsilon 0.1 epsilon 0.1",
    ])
  func `other numbers are refused`(text: String) {
    #expect(throws: OperationProblem.self) { try parse(text) }
  }

  @Test
  func `numbers are checked in code too`() {
    expectRefusal(of: .batchNorm(epsilon: 0), behind: [[3]], saying: "an epsilon above 0")
    expectRefusal(
      of: .batchNorm(epsilon: 0.1, momentum: 2), behind: [[3]], saying: "a momentum from 0 to 1")
  }

  @Test
  func `its lines have its epsilon`() {
    let parameters = [2, 1, 3, 0.75].map { Tensor([Float($0)]) }
    let lines = BatchNormalisation(epsilon: 0.25).lines(parameters: parameters)
    #expect(lines[0].factor == 2 && lines[0].summand == -5)
  }
}
