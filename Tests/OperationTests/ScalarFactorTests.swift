// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct ScalarFactorTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("scalar", count: 1)
  }

  @Test
  func `multiplies all values by one number`() throws {
    try expectText("scalar")
    try expectShape("scalar", [[4, 2, 2]], becomes: [4, 2, 2])
    try expectUnits("scalar", [[4, 2, 2]], .sameUnits)
    try expectGradients("scalar", [[4, 2, 2]])
    let parameters = try ScalarFactor().parameters(for: [[3]])
    #expect(parameters.map(\.shape) == [[1]] && parameters[0].initial == .constant(1))
    #expect(ScalarFactor().foreignNames(of: parameters[0].role).contains("gamma"))
  }
}
