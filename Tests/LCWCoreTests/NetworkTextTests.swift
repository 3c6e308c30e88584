// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

/// Networks as text and as JSON.
@Suite struct NetworkTextTests {
  static let operations = OperationCatalog([
    Add.self, AveragePooling.self, BatchNormalisation.self, Convolution.self, Dense.self,
    Dropout.self, Flatten.self, MaxPooling.self, ReLU.self, Tanh.self,
  ])

  private func network(
    _ text: String, input: Shape = [3, 8, 8], classes: Int = 5
  ) throws -> Network {
    try NetworkText(text, operations: Self.operations).network(inputShape: input, classes: classes)
  }

  private func network(json: String) throws -> Network {
    try NetworkText(json: JSONValue(parsing: Array(json.utf8)), operations: Self.operations)
      .network(inputShape: [3, 8, 8], classes: 5)
  }

  private func fault(_ text: String) -> NetworkTextError? {
    #expect(throws: NetworkTextError.self) {
      try NetworkText(text, operations: Self.operations)
    }
  }

  private func fault(json: String) throws -> NetworkTextError? {
    let value = try JSONValue(parsing: Array(json.utf8))
    return #expect(throws: NetworkTextError.self) {
      try NetworkText(json: value, operations: Self.operations)
    }
  }

  // MARK: What is read

  @Test
  func `a residual network is read and written as it was`() throws {
    let text = """
      conv 4 3x3 pad 1 no-bias; batchnorm; start = relu; conv 4 3x3 pad 1 no-bias; batchnorm; relu; \
      conv 4 3x3 pad 1 no-bias; last = batchnorm; add from last start; relu; flatten; dense 5
      """
    let network = try network(text)
    #expect("\(network)" == text)
    #expect(!network.isChain)
    #expect(network.nodes[8].inputs == [.output(ofNode: 7), .output(ofNode: 2)])
    #expect(network.parameters.map(\.name).contains("last.running_mean") == false)
    #expect(
      network.parameters.map(\.name).filter { $0.hasPrefix("last.") }
        == ["last.scale", "last.shift", "last.mean", "last.variance"])
    // Its own name is that of a number: so many batch normalisations are before it.
    #expect(network.nodes[4].name == "norm2" && network.nodes[7].name == "last")
  }

  @Test
  func `lines end as every system ends them, and have remarks`() throws {
    let lines = [
      "start = conv 4 3x3 pad 1 # the stem; of all", "", "  relu;; conv 4 1 ",
      "add from conv2 start", "flatten # flat", "dense classes",
    ]
    let networks = try ["\n", "\r\n", "\r", "\n\n"].map { try network(lines.joined(separator: $0)) }
    #expect(Set(networks).count == 1)
    #expect(
      "\(networks[0])"
        == "start = conv 4 3x3 pad 1; relu; conv 4 1x1; add from conv2 start; flatten; dense 5")
    #expect(fault("relu\r\nrelu\r\nsoftmix")?.place == .line(3))
  }

  @Test
  func `names may have dots, slashes and hyphens`() throws {
    let text =
      "layer1.0/conv-1 = conv 3 1x1; a_b = relu; add from a_b layer1.0/conv-1 input; flatten; dense 5"
    let network = try network(text)
    #expect("\(network)" == text)
    #expect(network.parameters[0].name == "layer1.0/conv-1.weight")
    #expect(network.parameters[0].layerName == "layer1.0/conv-1")
    for name in [
      ".a", "a.", "/a", "a//b", "a/../b", "a/.b", "a/-/b", "a b", "a:b", "ä", "а", "a\u{301}", "",
      String(repeating: "a", count: 201),
    ] {
      #expect(fault("\(name) = relu") != nil, "\(name)")
      #expect(throws: NetworkError.self, "\(name)") {
        try Network(inputShape: [3], nodes: [.init(.relu, name: name)])
      }
    }
    #expect(throws: NetworkError.self) {
      try Network(inputShape: [3], nodes: [.init(.relu, name: "input")])
    }
  }

  @Test
  func `classes stand wherever a number does`() throws {
    let text =
      "conv classes 1x1; conv 2 classes; maxpool classes stride classes; flatten; dense classes"
    #expect(
      "\(try network(text, input: [1, 9, 9], classes: 3))"
        == "conv 3 1x1; conv 2 3x3; maxpool 3; flatten; dense 3")
    let read = try NetworkText(text, operations: Self.operations)
    #expect(read.text == text)
    let error = #expect(throws: NetworkTextError.self) {
      try read.network(inputShape: [1, 9, 9], classes: 1 << 40)
    }
    #expect(error?.place == .line(1))
    #expect(error?.description.contains("which 1099511627776 classes are not") == true)
  }

  @Test(arguments: [
    "flatten; dense 7; relu; dense 5",
    "conv 4 3x3 pad 1; start = relu; conv 4 3x3 pad 1; add from conv2 start; flatten; dense 5",
    "conv 3 3x3 pad 1; add from input conv1 input; a = flatten; b = dense 5; c = dense 5 from a; add from b c",
  ])
  func `text, JSON and network say the same`(text: String) throws {
    let network = try network(text)
    #expect("\(network)" == text)
    let json = network.json
    let read = try NetworkText(json: json, operations: Self.operations)
    #expect(try read.network(inputShape: [3, 8, 8], classes: 5) == network)
    #expect(read.text == text)
    #expect(try JSONValue(parsing: Array(json.prettyText.utf8)) == json)
  }

  @Test
  func `JSON leaves out what is usual`() throws {
    let network = try network(
      json: """
        {"nodes": [{"operation": "conv 4  3x3 pad 1", "name": "stem", "from": ["input"]},
          {"operation": "relu"}, {"operation": "add", "from": ["relu1", "stem"]},
          {"operation": "flatten", "name": "flatten1"}, {"operation": "dense classes"}]}
        """)
    #expect(
      "\(network)" == "stem = conv 4 3x3 pad 1; relu; add from relu1 stem; flatten; dense 5")
    #expect(
      network.json.compactText
        == #"{"nodes":[{"name":"stem","operation":"conv 4 3x3 pad 1"},{"operation":"relu"},"#
        + #"{"from":["relu1","stem"],"operation":"add"},{"operation":"flatten"},"#
        + #"{"operation":"dense 5"}]}"#)
  }

  // MARK: What is refused

  @Test(arguments: [
    ("relu; add from relu1 nowhere", 1, "the name of a line before this one where ‘nowhere’"),
    ("relu\nadd from relu1 relu2\nrelu", 2, "where ‘relu2’ stands"),
    ("relu\n\nloop = add from relu1 loop", 3, "where ‘loop’ stands"),
    ("a = relu\na = tanh", 2, "another name than ‘a’"),
    ("relu2 = relu\nrelu", 2, "another name than ‘relu2’"),
    ("relu from", 1, "names of lines before this one behind ‘from’"),
    ("input = relu", 1, "another name before ‘=’ than that of the sample"),
    ("= relu", 1, "where ‘=’ stands"), ("a =", 1, "add, avgpool"),
    ("a = from input", 1, "add, avgpool"),
    ("dense 5,7", 1, "no comma"), ("relu; ‘relu’", 1, "ASCII"), ("r\u{435}lu", 1, "ASCII"),
    ("relu\u{301}", 1, "ASCII"), ("relu \u{301}", 1, "ASCII"),
    ("relu = relu = relu", 1, "where ‘=’ stands"),
  ])
  func `what is wrong is said with its line`(text: String, line: Int, part: String) throws {
    let error = try #require(fault(text))
    #expect(error.place == .line(line))
    #expect(error.description.contains(part), "\(error)")
    #expect(error.category == .usage)
  }

  @Test(arguments: [
    (
      #"{"nodes": [{"operation": "relu"}, {"operation": "add", "from": ["relu1", "relu2"]}]}"#, 2,
      "‘relu2’"
    ),
    (
      #"{"nodes": [{"operation": "relu", "name": "a"}, {"operation": "relu", "name": "a"}]}"#, 2,
      "another name"
    ),
    (#"{"nodes": [{"operation": "relu", "from": []}]}"#, 1, "behind ‘from’"),
    (#"{"nodes": [{"operation": "relu", "from": "input"}]}"#, 1, "list ‘from’"),
    (#"{"nodes": [{"operation": "relu", "from": ["input", 1]}]}"#, 1, "list ‘from’"),
    (#"{"nodes": [{"operation": "relu", "name": 1}]}"#, 1, "text ‘name’"),
    (#"{"nodes": [{"operation": "relu", "inputs": []}]}"#, 1, "not ‘inputs’"),
    (#"{"nodes": [{"operation": 7}]}"#, 1, "text ‘operation’"),
    (#"{"nodes": ["relu"]}"#, 1, "text ‘operation’"),
    (#"{"nodes": [{"operation": ""}]}"#, 1, "add, avgpool"),
    (#"{"nodes": [{"operation": "relu; relu"}]}"#, 1, "‘relu;’"),
    (#"{"nodes": [{"operation": "relu from input"}]}"#, 1, "‘from’"),
    (#"{"nodes": [{"operation": "a = relu"}]}"#, 1, "‘=’"),
    (#"{"nodes": [{"operation": "relu", "name": "input"}]}"#, 1, "than that of the sample"),
    (#"{"nodes": [{"operation": "relu", "name": "a\u001b[2J"}]}"#, 1, "a name of letters"),
  ])
  func `what is wrong in JSON is said with its node`(json: String, node: Int, part: String) throws {
    let error = try #require(try fault(json: json))
    #expect(error.place == .node(node))
    #expect(error.description.contains(part), "\(error)")
  }

  @Test(arguments: [
    #"{"nodes": []}"#, #"{"layers": []}"#, "[]", #"{"nodes": {}}"#, #"{"nodes": [], "x": 1}"#,
  ])
  func `JSON that is no graph is refused whole`(json: String) throws {
    #expect(try fault(json: json)?.place == nil)
  }

  @Test(arguments: [
    ("a = relu; b = relu from a; relu from a", "layer 2 (b = relu) is read by no layer behind it"),
    (
      "start = conv 4 3x3 pad 1; conv 5 1x1; sum = add from conv2 start",
      "layer 3 (sum = add) needs values of one shape"
    ),
    (
      "relu\nconv 4 3x3 pad 1\n\nsum = add from conv1 input",
      "layer 3 (sum = add, line 4) needs values of one shape"
    ),
    ("add", "layer 1 (add) reads 2 to 1024 values, not 1"),
    ("relu from input input", "layer 1 (relu) reads 1 value, not 2"),
  ])
  func `shapes and readers that don't fit are said with the node`(text: String, says: String) {
    let error = #expect(throws: NetworkError.self) { try network(text) }
    #expect(error?.description.hasPrefix(says) == true, "\(error?.description ?? "")")
  }

  // MARK: Bounds

  @Test
  func `errors have no control characters and are not long`() throws {
    for text in [
      "a\u{1B}[2J = relu", "relu \u{7}", "\u{202E} = relu",
      String(repeating: "a", count: 1_000_000) + " = relu",
      "relu " + String(repeating: "\u{301}", count: 200_000),
      String(repeating: "a\u{301}\u{316}", count: 100_000),
      String(repeating: "\u{301}\u{316}", count: 100_000) + " = relu",
      "add from " + String(repeating: "\u{301}\u{316}", count: 100_000),
      String(repeating: "\u{301}\u{316}", count: 100_000) + ";#",
    ] {
      let start = processorSeconds()
      let description = try #require(fault(text)).description
      #expect(description == description.escapingControls)
      #expect(description.utf8.count < 20_000)
      #expect(processorSeconds() - start < 200)
    }
  }

  @Test
  func `as many nodes as are handled are read in no time, and more are not`() throws {
    let start = processorSeconds()
    let count = Network.largestLayerCount - 1
    let one = "relu from input;"
    let names = (1...count).map { "relu\($0)" }
    for text in [
      String(repeating: "relu;", count: count) + "relu",
      (1...count).map { "n\($0) = add from input \($0 == 1 ? "input" : "n\($0 - 1)")" }.joined(
        separator: "\n"),
      String(repeating: one, count: 1000) + "add from " + names.prefix(1000).joined(separator: " "),
    ] {
      let network = try network(text, input: [4, 2, 2])
      #expect("\(network)".utf8.count > 5000)
      #expect(network.json.object?.count == 1)
      #expect(network.describe(node: network.nodes.count - 1).contains(/relu|add/))
      #expect(UnitGroups(of: network).all.count == 1)
    }
    #expect(processorSeconds() - start < 60)
    for text in [
      String(repeating: "relu\n", count: 1_000_000),
      String(repeating: "a;", count: 1_000_000),
      "add from" + String(repeating: " input", count: 1_000_000),
    ] {
      do { _ = try network(text) } catch {
        #expect(error is NetworkTextError || error is NetworkError)
      }
    }
    #expect(fault(String(repeating: "relu\n", count: 100_000))?.place == .line(8193))
    #expect(processorSeconds() - start < 60)
  }

  @Test
  func `values that are alive at once are counted`() throws {
    // Eight values wait until they are added.
    let text =
      (1...8).map { "n\($0) = relu from input" }.joined(separator: ";")
      + ";add from " + (1...8).map { "n\($0)" }.joined(separator: " ")
    let network = try network(text, input: [1000])
    #expect(network.widestSample == 1000)
    #expect(network.widestLiveSample == 9000)
    #expect(network.liveSamples == (2...9).map { Double($0 * 1000) } + [9000])
    // A chain has what a layer reads and what it computes.
    let chain = try self.network("dense 10; relu; dense 4", input: [1000])
    #expect(chain.liveSamples == [1010, 20, 14])
    // A sample of nearly as many values as an integer counts.
    let wide = try self.network(
      "maxpool 1 stride 2000000000; flatten; dense 1", input: [1, 2_147_483_647, 2_147_483_647])
    #expect(wide.widestLiveSample == 1 << 60)
  }

  @Test
  func `what is in memory at once is bounded by what is stored`() throws {
    let names = (1...100).map { "n\($0)" }
    let text =
      names.map { "\($0) = relu from input" }.joined(separator: ";") + ";add from "
      + names.joined(separator: " ") + "; flatten; dense 1"
    let wide = try network(text, input: [1, 1000, 1000])
    let limits = DescriptionLimits(of: Checkpoint())
    let error = #expect(throws: CheckpointError.self) { try limits.check(wide) }
    #expect(error?.description.contains("in memory at once") == true, "\(error?.description ?? "")")
    // A chain of layers as wide as they may be alone is read as ever.
    try limits.check(network("relu; tanh; maxpool 2000; flatten; dense 1", input: [1, 2048, 2048]))
  }
}
