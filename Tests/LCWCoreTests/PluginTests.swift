// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

// MARK: - Plugins to register

private enum Colour: String, OptionChoice {
  case red, green
}

/// An architecture with an option of each type.
private struct Sample: Architecture {
  static let name = "sample"
  static let summary = "one option of each type"
  static let count = PluginOption("count", default: 3, help: "an integer")
  static let rate = PluginOption("rate", default: 0.5, help: "a number")
  static let deep = PluginOption("deep", default: false, help: "a truth value")
  static let title = PluginOption("title", default: "none", help: "a text")
  static let hidden = PluginOption("hidden", default: [20, 10], help: "sizes")
  static let colour = PluginOption("colour", default: Colour.red, help: "a choice")
  static let options: [any PluginOptionDescription] = [count, rate, deep, title, hidden, colour]

  let text: String

  init(options: OptionValues) throws {
    let count = try options.value(of: Self.count, in: 1...9)
    let rate = try options.value(of: Self.rate, in: 0...1)
    text =
      "\(count) \(rate) \(options[Self.deep]) \(options[Self.title]) "
      + "\(options[Self.hidden]) \(options[Self.colour])"
  }

  func network(inputShape: Shape, classes: Int) throws -> Network {
    try Network(inputShape: inputShape, layers: [])
  }
}

private struct OtherSample: Architecture {
  static let name = "sample"
  static let summary = "another of the name"
  init(options: OptionValues) throws {}
  func network(inputShape: Shape, classes: Int) throws -> Network {
    try Network(inputShape: inputShape, layers: [])
  }
}

private struct Apple: Architecture {
  static let name = "apple"
  static let summary = "the first by name"
  init(options: OptionValues) throws {}
  func network(inputShape: Shape, classes: Int) throws -> Network {
    try Network(inputShape: inputShape, layers: [])
  }
}

/// A data set may have an architecture's name.
private struct SampleData: Dataset {
  static let name = "sample"
  static let summary = "no data"
  let sampleShape: Shape = [1]
  let classes = 2
  let preprocessing = "none"
  init(options: OptionValues) throws {}
  func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet {
    try SampleSet(name: "none", sampleShape: [1], classes: 2, labels: [], values: .floats([]))
  }
}

private struct Zigzag: ConnectionMethod {
  static let name = "zigzag"
  static let summary = "no method at all"
  static let traits = MethodTraits(
    compute: .low, complexity: .low, isExplicit: true, loss: .high, isLearnable: false,
    needsData: false)
  static let options: [any PluginOptionDescription] = [
    PluginOption("turns", default: 4, help: "an integer"),
    PluginOption("width", default: 0.5, help: "a number"),
  ]
  init(options: OptionValues) throws {}
  func path(from a: Weights, to b: Weights, in context: ConnectionContext) throws
    -> any ConnectionPath
  {
    try ExplicitPath(
      network: a.network,
      stages: [
        PathStage(
          label: "all",
          motions: zip(a.tensors, b.tensors).map { .combination([$0, $1], .line) })
      ])
  }
}

private struct Kindless: Plugin {
  static let name = "kindless"
  static let summary = "conforms to no kind"
  init(options: OptionValues) throws {}
}

private struct Misnamed: Dataset {
  static let name = "Mis_named"
  static let summary = "has a name that can't be written"
  let sampleShape: Shape = [1]
  let classes = 2
  let preprocessing = "none"
  init(options: OptionValues) throws {}
  func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet {
    try SampleSet(name: "none", sampleShape: [1], classes: 2, labels: [], values: .floats([]))
  }
}

@Suite struct PluginReferenceTests {
  @Test(
    arguments: [
      ("mlp", "mlp", [:]), ("arc-2", "arc-2", [:]), ("mlp:hidden=2000", "mlp", ["hidden": "2000"]),
      ("mlp:hidden=6144x2000,bias=false", "mlp", ["hidden": "6144x2000", "bias": "false"]),
      ("m:a=", "m", ["a": ""]), ("m:a=b=c:d", "m", ["a": "b=c:d"]),
    ] as [(String, String, [String: String])])
  func texts(text: String, name: String, options: [String: String]) throws {
    let reference = try PluginReference(text)
    #expect(reference.name == name)
    #expect(reference.options == options)
    #expect(try PluginReference("\(reference)") == reference)
  }

  @Test func optionsArePrintedInAlphabeticalOrder() throws {
    #expect(try "\(PluginReference("m:z=1,a=2,k=3"))" == "m:a=2,k=3,z=1")
    #expect("\(PluginReference(name: "m"))" == "m")
  }

  @Test(arguments: [
    ("", "lower-case letters"), ("MLP", "lower-case letters"), ("2d", "lower-case letters"),
    ("-m", "lower-case letters"), ("m p", "lower-case letters"), ("é", "lower-case letters"),
    (":a=1", "lower-case letters"), ("m:", "‘’ is not key=value"),
    ("m:a", "‘a’ is not key=value"), ("m:=1", "‘=1’ is not key=value"),
    ("m:a=1,", "‘’ is not key=value"), ("m:a=1,,b=2", "‘’ is not key=value"),
    ("m:a=1,b=2,a=3", "‘a’ is given twice"),
  ])
  func malformedTexts(text: String, says: String) {
    let error = #expect(throws: PluginError.self) { try PluginReference(text) }
    #expect(error?.description.hasPrefix("‘\(text)’ is not written name:key=value") == true)
    #expect(error?.description.contains(says) == true)
    #expect(error?.category == .usage)
  }
}

@Suite struct PluginOptionTests {
  private func text(_ reference: String) throws -> String? {
    let registry = try PluginRegistry([Sample.self])
    return (try registry.architecture(PluginReference(reference)) as? Sample)?.text
  }

  @Test func defaults() throws {
    #expect(try text("sample") == "3 0.5 false none [20, 10] red")
  }

  @Test func valuesOfEveryType() throws {
    #expect(
      try text("sample:count=9,rate=2.5e-1,deep=true,title=a b=c,hidden=7,colour=green")
        == "9 0.25 true a b=c [7] green")
  }

  @Test(arguments: [
    ("count", "3.0", "expected an integer"), ("count", "", "expected an integer"),
    ("count", "99999999999999999999", "expected an integer"),
    ("rate", "half", "expected a number"), ("rate", "nan", "expected a number"),
    ("rate", "inf", "expected a number"), ("rate", "1e999", "expected a number"),
    ("deep", "yes", "expected true or false"), ("hidden", "10x", "expected sizes such as"),
    ("hidden", "10x0", "expected sizes such as"), ("hidden", "-3", "expected sizes such as"),
    ("hidden", "10,20", ""), ("colour", "blue", "expected one of red, green"),
    ("count", "0", "expected a value from 1 to 9"), ("count", "10", "expected a value from 1 to 9"),
    ("rate", "1.5", "expected a value from 0.0 to 1.0"),
  ])
  func wrongValues(key: String, value: String, says: String) {
    let error = #expect(throws: PluginError.self) { try text("sample:\(key)=\(value)") }
    #expect(error?.category == .usage)
    if !says.isEmpty {
      #expect(
        error?.description.hasPrefix("sample: ‘\(value)’ is not a valid value for \(key): ") == true
      )
      #expect(error?.description.contains(says) == true)
    }
  }

  @Test(arguments: [
    ("coutn", "sample has no option ‘coutn’; did you mean ‘count’?"),
    ("width", "sample has no option ‘width’; it takes colour, count, deep, hidden, rate, title"),
    ("cout", "sample has no option ‘cout’; did you mean ‘count’?"),
    ("Count", "sample has no option ‘Count’; did you mean ‘count’?"),
    ("hid", "sample has no option ‘hid’; did you mean ‘hidden’?"),
  ])
  func unknownOptions(key: String, says: String) {
    let error = #expect(throws: PluginError.self) { try text("sample:\(key)=1") }
    #expect(error?.description == says)
  }

  @Test func anOptionWhereNoneIsTaken() throws {
    let registry = try PluginRegistry([Apple.self])
    let error = #expect(throws: PluginError.self) {
      try registry.architecture(PluginReference("apple:a=1"))
    }
    #expect(error?.description == "apple has no option ‘a’; it takes none")
  }

  @Test func descriptionsOfOptions() {
    #expect(
      Sample.options.map { "\($0.key) \($0.typeName) \($0.defaultText)" } == [
        "count an integer 3", "rate a number 0.5", "deep true or false false",
        "title a text none", "hidden sizes such as 2000 or 6144x2000 20x10",
        "colour one of red, green red",
      ])
    #expect(Sample.options.allSatisfy { $0.problem(withText: $0.defaultText) == nil })
  }
}

@Suite struct PluginRegistryTests {
  @Test func pluginsAreSortedByKindAndName() throws {
    let registry = try PluginRegistry([
      SampleData.self, Sample.self, Zigzag.self, Apple.self,
    ])
    #expect(registry.plugins.map { $0.name } == ["zigzag", "apple", "sample", "sample"])
    #expect(registry.plugins(of: .architecture).map { $0.name } == ["apple", "sample"])
    #expect(registry.plugins(of: .format).isEmpty)
    #expect(PluginKind(of: SampleData.self) == .dataset)
    #expect(PluginKind(of: Kindless.self) == nil)
  }

  @Test func pluginsAreFoundByKindAndName() throws {
    let registry = try PluginRegistry([SampleData.self, Sample.self, Zigzag.self])
    let sample = try PluginReference("sample")
    #expect(try registry.architecture(sample) is Sample)
    #expect(try registry.dataset(sample) is SampleData)
    #expect(try registry.method(PluginReference("zigzag")) is Zigzag)
  }

  @Test func twoOfOneNameAreBothNamed() {
    let error = #expect(throws: PluginError.self) {
      try PluginRegistry([Sample.self, SampleData.self, OtherSample.self])
    }
    guard case .duplicateName("sample", .architecture, let types) = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(types.count == 2)
    #expect(types[0].hasSuffix(".Sample, linked into this program"))
    #expect(types[1].hasSuffix(".OtherSample, linked into this program"))
    #expect(types.allSatisfy { error?.description.contains($0) == true })
    #expect(error?.description.contains("; remove one of them") == true)
    #expect(error?.category == .failure)
  }

  @Test func whatCannotBeRegistered() {
    let kindless = #expect(throws: PluginError.self) { try PluginRegistry([Kindless.self]) }
    #expect(kindless?.description.contains(".Kindless is registered as a plugin but") == true)
    let misnamed = #expect(throws: PluginError.self) { try PluginRegistry([Misnamed.self]) }
    #expect(misnamed?.description.contains("calls itself ‘Mis_named’") == true)
  }

  @Test(arguments: [
    ("sampel", "no architecture is called ‘sampel’; did you mean ‘sample’?"),
    ("resnet", "no architecture is called ‘resnet’; there are apple, sample"),
    ("app", "no architecture is called ‘app’; did you mean ‘apple’?"),
  ])
  func unknownNames(name: String, says: String) throws {
    let registry = try PluginRegistry([Sample.self, Apple.self, Zigzag.self])
    let error = #expect(throws: PluginError.self) {
      try registry.architecture(PluginReference(name))
    }
    #expect(error?.description == says)
  }

  @Test func noneIsLinked() throws {
    let error = #expect(throws: PluginError.self) {
      try PluginRegistry([]).dataset(PluginReference("mnist"))
    }
    #expect(error?.description == "no dataset is called ‘mnist’; none is linked")
  }

  @Test(
    arguments: [
      ("mnist", ["mnist", "cifar10"], "mnist"), ("MNIST", ["mnist"], "mnist"),
      ("cifar", ["cifar10", "cifar100", "x"], "cifar10"), ("abc", ["xyz"], nil), ("a", [], nil),
      ("wei", ["dense1.weight", "weights-of-all"], "weights-of-all"),
    ] as [(String, [String], String?)])
  func nearestNames(name: String, candidates: [String], nearest: String?) {
    #expect(nearestName(to: name, among: candidates) == nearest)
  }

  @Test func aRecordedReferenceNamesNoFile() throws {
    struct Reading: Architecture {
      static let name = "reading"
      static let summary = "reads its layers"
      static let file = PluginOption("file", default: FileName(""), help: "a file")
      static let width = PluginOption("width", default: 3, help: "a number")
      static let options: [any PluginOptionDescription] = [file, width]
      init(options: OptionValues) throws {}
      func network(inputShape: Shape, classes: Int) throws -> Network {
        try Network(inputShape: inputShape, layers: [])
      }
    }
    let registry = try PluginRegistry([Reading.self])
    let refuse = { (text: String) in
      try registry.refuseFiles(
        namedBy: try PluginReference(text), of: .architecture, recordedAs: "architecture")
    }
    for text in ["reading", "reading:width=2", "reading:file="] { try refuse(text) }
    let error = #expect(throws: CheckpointError.self) { try refuse("reading:file=/etc/passwd") }
    #expect(
      error == .namesFile(field: "architecture", option: "file", file: "/etc/passwd"))
    #expect(error?.category == .data)
    let source = Checkpoint(
      metadata: [
        "architecture": "reading:file=a", "classes": 3, "input": .array([.integer(3)]),
      ])
    #expect(throws: CheckpointError.namesFile(field: "architecture", option: "file", file: "a")) {
      try source.network(from: registry)
    }
  }

  @Test func differentNetworksAreNotConnected() throws {
    let zigzag = try PluginRegistry([Zigzag.self]).connection(MethodExpression("zigzag"))
    let small = try Network(inputShape: [2], layers: [.dense(outputs: 1, bias: true)])
    let large = try Network(inputShape: [2], layers: [.dense(outputs: 3, bias: true)])
    let error = #expect(throws: NetworkError.self) {
      try zigzag.path(from: Weights(zeros: small), to: Weights(zeros: large))
    }
    #expect(error?.description.contains("‘[2] dense 1’ and ‘[2] dense 3’") == true)
    #expect(
      try zigzag.path(from: Weights(zeros: small), to: Weights(zeros: small)).network == small)
  }

  @Test(
    arguments: [
      ("arc", "arc", nil), ("linear+wa", "linear", "wa"),
      (
        "ot:path=arc,cost=neuron+wa:ridge=1e+3,bias=kept", "ot:cost=neuron,path=arc",
        "wa:bias=kept,ridge=1e+3"
      ),
      ("ot+wa:bias=kept+repair", "ot", "wa:bias=kept"),
    ] as [(String, String, String?)])
  func methodExpressions(text: String, method: String, modifier: String?) throws {
    let expression = try MethodExpression(text)
    #expect("\(expression.method)" == method)
    #expect(expression.modifier.map { "\($0)" } == modifier)
    #expect(try MethodExpression("\(expression)") == expression)
  }

  @Test func anExpressionIsCompletedWithDefaults() throws {
    let registry = try PluginRegistry([Zigzag.self, Halving.self])
    func completed(_ text: String) throws -> String {
      "\(try registry.completed(MethodExpression(text)))"
    }
    #expect(try completed("zigzag") == "zigzag:turns=4,width=0.5")
    #expect(try completed("zigzag:turns=7+halving") == "zigzag:turns=7,width=0.5+halving")
    let several = try PluginRegistry([Zigzag.self, Halving.self, Staying.self, Leaving.self])
    #expect(
      "\(try several.completed(MethodExpression("zigzag+staying:by=2+leaving")))"
        == "zigzag:turns=4,width=0.5+staying:by=2+leaving:by=1")
    #expect(throws: PluginError.self) { try completed("zigzig") }
    #expect(throws: PluginError.self) { try completed("zigzag+halfing") }
  }

  @Test func anOptionWritesEachValueInOneWay() {
    let rate = PluginOption("rate", default: 0.5, help: "")
    #expect(["0.01", "1e-2", "0.010"].map(rate.canonicalText) == ["0.01", "0.01", "0.01"])
    #expect(PluginOption("points", default: 3, help: "").canonicalText(of: "05") == "5")
    #expect(PluginOption("sizes", default: [2], help: "").canonicalText(of: "020x3") == "20x3")
    // What is no value is said elsewhere.
    #expect(rate.canonicalText(of: "much") == "much")
  }

  @Test(arguments: ["", "+", "arc+", "+wa", "arc+wa+wa", "arc + wa", "arc+Wa"])
  func textsThatAreNoExpression(text: String) {
    #expect(throws: PluginError.self) { try MethodExpression(text) }
  }

  @Test func aMethodThatMovesNoSingleLayersIsNotModified() throws {
    let registry = try PluginRegistry([Zigzag.self, Halving.self])
    #expect(Set(registry.plugins.compactMap(PluginKind.init)) == [.method, .modifier])
    let error = #expect(throws: ConnectionError.self) {
      try registry.connection(MethodExpression("zigzag+halving"))
    }
    #expect(
      error == .notLayerwise(method: "zigzag", modifier: "halving", suited: []))
    let alone = #expect(throws: PluginError.self) {
      try registry.connection(MethodExpression("halving"))
    }
    #expect(alone?.description.contains("linear+halving") == true)
    let unknown = #expect(throws: PluginError.self) {
      try registry.connection(MethodExpression("zigzag+halfing"))
    }
    #expect(unknown?.description.contains("did you mean ‘halving’") == true)
  }

  @Test(
    arguments: [
      ("stepping+staying+halving", "write stepping+halving+staying"),
      ("stepping+halving+doubling", "write stepping+halving or stepping+doubling"),
      ("stepping+staying+staying", "write each modifier once"),
      ("zigzag+halving+staying", "zigzag can't move one layer at a time"),
      ("staying", "linear+staying"),
      ("stepping+halving+stayin", "did you mean ‘staying’"),
    ])
  func `modifiers that can't stand so are refused with what to write`(
    text: String, advice: String
  ) throws {
    let registry = try PluginRegistry([
      Zigzag.self, Stepping.self, Halving.self, Doubling.self, Staying.self, Leaving.self,
    ])
    let error = #expect(throws: (any Error).self) {
      try registry.connection(MethodExpression(text))
    }
    #expect((error as? any DescribedError)?.description.contains(advice) == true)
  }

  @Test func `path modifiers are applied in their order, and all of them count`() throws {
    let registry = try PluginRegistry([
      Zigzag.self, Stepping.self, Halving.self, Staying.self, Leaving.self,
    ])
    let network = try Network(inputShape: [2], layers: [.dense(outputs: 1, bias: true)])
    let ends = (Weights(zeros: network), Weights(zeros: network))
    for (text, labels) in [
      ("zigzag+staying+leaving", "staying, leaving"),
      ("zigzag+leaving+staying", "leaving, staying"),
      ("stepping+halving+staying", "staying"),
    ] {
      let connection = try registry.connection(MethodExpression(text))
      let path = try connection.path(from: ends.0, to: ends.1)
      #expect(path.stages[0].label.hasSuffix(labels))
      #expect(connection.measuresRunningMoments == text.contains("leaving"))
      #expect(connection.cost(joining: network).epochs == labels.split(separator: ",").count)
      #expect(connection.traits.isLearnable == text.contains("staying"))
    }
    #expect(registry.momentModifiers == ["leaving"])
  }

  @Test func `what measures moments does not stand before what replaces them`() throws {
    let registry = try PluginRegistry([
      Zigzag.self, Staying.self, Leaving.self, Replacing.self,
    ])
    for text in ["zigzag+replacing+leaving", "zigzag+staying+replacing"] {
      try registry.requireUsefulModifiers(in: MethodExpression(text))
    }
    for (text, right) in [
      ("zigzag+leaving+replacing", "write zigzag+leaving"),
      ("zigzag+leaving+staying+replacing", "write zigzag+leaving+staying"),
    ] {
      let error = #expect(throws: PluginError.self) {
        try registry.requireUsefulModifiers(in: MethodExpression(text))
      }
      // Archives that were made so are computed as they were.
      _ = try registry.connection(MethodExpression(text))
      #expect(error?.description.hasSuffix(right) == true, "\(String(describing: error))")
    }
  }
}

/// Modifiers that leave every point, and say so in the stages' labels.
private protocol Labelling: PathModifier {}
extension Labelling {
  static var summary: String { "nothing" }
  static var options: [any PluginOptionDescription] { [PluginOption("by", default: 1, help: "")] }
  static func traits(modifying traits: MethodTraits) -> MethodTraits { traits }
  func cost(joining network: Network) -> ConnectionCost { ConnectionCost(epochs: 1) }
  func path(
    modifying path: any ConnectionPath, from a: Weights, to b: Weights,
    in context: ConnectionContext
  ) throws -> any ConnectionPath {
    var stages = path.stages
    stages[0].label += ", \(Self.name)"
    return try ExplicitPath(network: path.network, stages: stages)
  }
}

private struct Staying: Labelling {
  static let name = "staying"
  init(options: OptionValues) throws {}
  static func traits(modifying traits: MethodTraits) -> MethodTraits {
    var traits = traits
    traits.isLearnable = true
    return traits
  }
}

private struct Leaving: Labelling {
  static let name = "leaving"
  static let measuresRunningMoments = true
  init(options: OptionValues) throws {}
}

private struct Replacing: Labelling {
  static let name = "replacing"
  static let measuresRunningMoments = true
  static let replacesRunningMoments = true
  init(options: OptionValues) throws {}
}

private struct Stepping: LayerwiseMethod {
  static let name = "stepping"
  static let summary = "the start, for ever"
  static let traits = MethodTraits(
    compute: .low, complexity: .low, isExplicit: true, loss: .high, isLearnable: false,
    needsData: false)
  init(options: OptionValues) throws {}
  func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    try ExplicitPath(
      network: a.network, stages: [PathStage(label: "stay", motions: a.tensors.map(Motion.fixed))])
  }
  func motion(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> LayerMotion { LayerMotion([:]) }
}

private struct Doubling: ConnectionModifier {
  static let name = "doubling"
  static let summary = "nothing"
  init(options: OptionValues) throws {}
  static func traits(modifying traits: MethodTraits) -> MethodTraits { traits }
  func path(
    from a: Weights, to b: Weights, moving method: any LayerwiseMethod,
    in context: ConnectionContext
  ) throws -> any ConnectionPath {
    try method.path(from: a, to: b, in: context)
  }
}

private struct Halving: ConnectionModifier {
  static let name = "halving"
  static let summary = "nothing"
  init(options: OptionValues) throws {}
  static func traits(modifying traits: MethodTraits) -> MethodTraits { traits }
  func path(
    from a: Weights, to b: Weights, moving method: any LayerwiseMethod,
    in context: ConnectionContext
  ) throws -> any ConnectionPath {
    try method.path(from: a, to: b, in: context)
  }
}
