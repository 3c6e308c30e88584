// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What the documents have to be pasted.
struct SnippetTests {
  @Test(arguments: [
    "Docs/Plugins.md", "Docs/LCW.docc/WritingAnArchitecture.md", "Formats/LCW/SPEC.md",
  ])
  func `the networks that the documents have as text can be used`(document: String) throws {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: package.appendingPathComponent(document), encoding: .utf8)
    let networks = page.components(separatedBy: "\n```").filter {
      $0.hasPrefix("\n") && $0.hasSuffix("dense classes")
    }
    #expect(networks.count == 1)
    let program = try Program()
    for network in networks {
      try Data(network.utf8).write(to: program.folder.url.appendingPathComponent("net.txt"))
      let outcome = try program.run(
        "inspect", "sequential:file=net.txt", "--groups", "--dataset", "digits")
      #expect(outcome.output.contains("may be permuted"))
    }
  }

  @Test
  func `the whole method of the page on plugins is as the format check wants it`() throws {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(
      contentsOf: package.appendingPathComponent("Docs/Plugins.md"), encoding: .utf8)
    let snippets = page.components(separatedBy: "```swift\n").dropFirst()
      .compactMap { $0.components(separatedBy: "```").first }
      .filter { $0.contains("PluginRecord") }
    #expect(snippets.count == 1)

    let folder = try TemporaryFolder()
    for (index, snippet) in snippets.enumerated() {
      let file = folder.url.appendingPathComponent("Snippet\(index).swift")
      try Data(snippet.utf8).write(to: file)
      let check = Process()
      check.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      check.arguments = [
        "swift", "format", "lint", "--strict", "--configuration",
        package.appendingPathComponent(".swift-format").path, file.path,
      ]
      let errors = Pipe()
      check.standardError = errors
      try check.run()
      let text = String(
        decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      check.waitUntilExit()
      #expect(check.terminationStatus == 0, "\(text)")
    }
  }
}
