// SPDX-License-Identifier: Apache-2.0
import LCWCore
import Testing

@Suite struct RegistrationTests {
  @Test func theDataSetsAreLinked() throws {
    let names = try PluginRegistry.linked().plugins(of: .dataset).map { $0.name }
    // All tests of the package are one program, which the worked examples are linked into as well.
    #expect(
      names.filter { $0 != "spirals" }
        == ["arrays", "cifar10", "cifar100", "digits", "images", "mnist", "table"])
  }

  @Test func anUnknownDataSetHasAHint() {
    let error = #expect(throws: PluginError.self) { try dataset("minist") }
    #expect(error?.description == "no dataset is called ‘minist’; did you mean ‘mnist’?")
  }

  @Test(arguments: ["cifar10", "cifar100", "digits", "mnist"])
  func whatIsSaidOfADataSetIsOneLine(name: String) throws {
    let found = try dataset(name)
    for text in [type(of: found).summary, found.preprocessing] {
      #expect(!text.isEmpty && !text.contains("\n") && !text.hasSuffix("."))
    }
  }
}
