// SPDX-License-Identifier: Apache-2.0
import Foundation
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

  @Test
  func `every operation has cases that PyTorch computed, and every case an operation`() throws {
    let folder = Bundle.module.bundleURL.appendingPathComponent("Fixtures")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    var names: Set<String> = []
    for file in files where file.hasSuffix(".safetensors") {
      guard case .string(let text)? = try contents(ofFixture: file).metadata["operation"] else {
        Issue.record("\(file) names no operation")
        continue
      }
      let type = type(of: try parse(text))
      #expect(type.usage.split(separator: " ").first.map(String.init) == type.name)
      #expect(!type.summary.isEmpty && !type.nodeName.contains("-"))
      names.insert(type.name)
    }
    #expect(names.sorted() == (try linkedOperations().names))
  }
}
