// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct DenseTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("dense", count: 2)
  }

  @Test
  func `is written as it is read, and reads and writes units`() throws {
    try expectText("dense 7")
    try expectText("dense 7 no-bias")
    try expectShape("dense 7", [[5]], becomes: [7])
    try expectUnits("dense 7", [[5]], .new, axes: 3)
    try expectUnits("dense 7 no-bias", [[5]], .new, axes: 2)
    try expectGradients("dense 4", [[5]])
  }
}
