// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics
import LCWOperations
import Testing

struct SequentialTests {
  @Test
  func `every layer is read as it is described`() throws {
    let text =
      "conv 8 5x3 stride 2 pad 2; batchnorm; relu; conv 4 3x3 no-bias; tanh; "
      + "maxpool 3 stride 2 pad 1; avgpool 2; dropout 0.25; flatten; dense 20 no-bias; dense 10"
    let network = try network("sequential:layers=\(text)")
    #expect(network.description == text)
    let first = try #require(network.layers[0].operation as? Convolution)
    #expect(first == .init(filters: 8, kernel: [5, 3], stride: 2, padding: 2, bias: true))
  }

  @Test
  func `sizes may be short, and the classes are the data set's`() throws {
    let network = try network(
      "sequential:layers=conv 4 3 pad 1;relu ; conv 2 3 pad 1 stride 2; flatten; dense classes no-bias",
      classes: 7)
    #expect(
      network.description
        == "conv 4 3x3 pad 1; relu; conv 2 3x3 stride 2 pad 1; flatten; dense 7 no-bias")
  }

  @Test(arguments: [
    ("conv", "a number of filters"), ("conv 3", "a kernel"), ("conv 3 3x3x3", "a kernel"),
    ("conv 0 3", "a number of filters"), ("conv 3 3 pad", "a number from 0"),
    ("conv 3 3 stride 0", "a number from 1"), ("conv 3 3 pad 1 stride 2 pad 1", "‘pad’"),
    ("dense", "outputs"), ("dense ten", "outputs"), ("dense 10 bias", "‘bias’"),
    ("maxpool", "window"), ("maxpool 2 stride", "a number from 1"), ("dropout 1", "a rate"),
    ("softmix", "conv, dense"), ("relu 6", "‘6’"), ("dense 99999999999999999999", "outputs"),
    (" ; ;", "at least one layer"),
  ])
  func `what can't be read is shown with what was expected`(text: String, part: String) {
    let error = #expect(throws: PluginError.self) {
      try network("sequential:layers=\(text)")
    }
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
  }

  @Test
  func `a file's chain is kept in the reference`() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).txt")
    defer { try? FileManager.default.removeItem(at: file) }
    try "conv 4 3x3 # edges, mostly\nrelu; flatten\n\n# head\ndense classes\n".write(
      to: file, atomically: false, encoding: .utf8)
    let reference = PluginReference(name: "sequential", options: ["file": file.path])
    let registry = try PluginRegistry.linked()
    let architecture = try registry.architecture(reference)
    let kept = architecture.selfContained(reference)
    #expect("\(kept)" == "sequential:layers=conv 4 3x3; relu; flatten; dense classes")
    let again = try registry.architecture(PluginReference("\(kept)"))
    #expect(
      try again.network(inputShape: [1, 8, 8], classes: 3)
        == architecture.network(inputShape: [1, 8, 8], classes: 3))
    #expect("\(again.selfContained(kept))" == "\(kept)")
  }

  @Test
  func `a file may hold a graph as JSON, which is kept as text`() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try """

    {"nodes": [
      {"operation": "conv 4 3x3 pad 1", "name": "stem"}, {"operation": "relu"},
      {"operation": "conv 4 3x3 pad 1"}, {"operation": "add", "from": ["conv2", "stem"]},
      {"operation": "flatten"}, {"operation": "dense classes"}]}
    """.write(to: file, atomically: false, encoding: .utf8)
    let reference = PluginReference(name: "sequential", options: ["file": file.path])
    let registry = try PluginRegistry.linked()
    let architecture = try registry.architecture(reference)
    let kept = architecture.selfContained(reference)
    #expect(
      "\(kept)" == "sequential:layers=stem = conv 4 3x3 pad 1; relu; conv 4 3x3 pad 1; "
        + "add from conv2 stem; flatten; dense classes")
    let network = try architecture.network(inputShape: [1, 8, 8], classes: 3)
    #expect(
      try registry.architecture(PluginReference("\(kept)"))
        .network(inputShape: [1, 8, 8], classes: 3) == network)
    // What a command writes of a network is such a file.
    try network.json.prettyText.write(to: file, atomically: false, encoding: .utf8)
    #expect(
      try registry.architecture(reference).network(inputShape: [1, 8, 8], classes: 3) == network)
    for (text, says) in [
      (#"{"nodes": [{"operation": "relu"}, {"operation": "add", "from": ["relu9"]}]}"#, "node 2: "),
      (#"{"nodes": [{"operation": "relu"}, }"#, "at line 1"), ("{", "at line 1"),
      (#"{"nodes": [[[[[]]]]]}"#, "deep"),
      (String(repeating: "[", count: 1000), "deep"),
    ] {
      try text.write(to: file, atomically: false, encoding: .utf8)
      let error = #expect(throws: PluginError.self) { try registry.architecture(reference) }
      #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
      #expect(error?.description.contains(file.path) == true)
    }
  }

  @Test
  func `a fault in a file names the file`() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).txt")
    defer { try? FileManager.default.removeItem(at: file) }
    try #"{"layers": ["relu"]}"#.write(to: file, atomically: false, encoding: .utf8)
    let error = #expect(throws: PluginError.self) {
      try PluginRegistry.linked().architecture(
        PluginReference(name: "sequential", options: ["file": file.path]))
    }
    #expect(error.map { "\($0)".contains(file.path) } == true)
  }

  @Test
  func `either a chain or a file is given, and a file is there`() throws {
    #expect(throws: PluginError.self) { try network("sequential") }
    #expect(throws: PluginError.self) { try network("sequential:layers=relu,file=a.txt") }
    #expect(throws: FileError.self) { try network("sequential:file=/nowhere/chain.txt") }
    let reference = PluginReference(name: "mlp")
    #expect(OtherFamily().selfContained(reference) == reference)
  }
}

private struct OtherFamily: Architecture {
  static let name = "other"
  static let summary = "keeps its reference"
  init() {}
  init(options: OptionValues) throws {}
  func network(inputShape: Shape, classes: Int) throws -> Network {
    try Network(inputShape: inputShape, layers: [])
  }
}
