// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWOperations
import Testing

struct RegistrationTests {
  @Test
  func `operations register themselves and are found by name`() throws {
    let operations = try PluginRegistry.linked().operations
    #expect(operations.names.contains("dense") && operations.names.contains("add"))
    let operation = try operations.operation(["conv", "8", "3x3", "pad", "1"])
    #expect(operation.text == "conv 8 3x3 pad 1")
    #expect(operation is Convolution)
  }
}
