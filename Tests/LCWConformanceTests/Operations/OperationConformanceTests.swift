// SPDX-License-Identifier: Apache-2.0
import LCWConformance
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

/// Every operation of this package keeps its promises.
struct OperationConformanceTests {
  /// Texts of the operations that need words, or mean something else with some.
  static let texts: [String: [String]] = [
    "dense": ["dense 5", "dense 3 no-bias"],
    "conv": [
      "conv 4 3x3 pad 1", "conv 3 2x3 stride 2 no-bias", "conv 4 1x1", "conv 5 3x3 stride 2 pad 2",
      "conv 4 3x2 stride 2x1 pad 1x0x2x1", "conv 3 2x2 dilation 2x1", "conv 6 3x3 pad 1 groups 2",
      "conv 4 3x3 pad 1 groups 4 no-bias", "conv 8 2x2 groups 4", "conv 8 3x3 pad 1 groups 8",
    ],
    "maxpool": [
      "maxpool 2", "maxpool 3 stride 2 pad 1", "maxpool 2x1 ceil", "maxpool 2 dilation 2",
    ],
    "avgpool": [
      "avgpool 2", "avgpool 3 stride 1 pad 1", "avgpool 3 stride 2 pad 1 exclude-pad",
      "avgpool 2x3 stride 2 ceil",
    ],
    "adaptive-avgpool": ["adaptive-avgpool", "adaptive-avgpool 2x3"],
    "dropout": ["dropout 0.5", "dropout 0.0"],
    "batchnorm": ["batchnorm", "batchnorm epsilon 0.01 momentum 0.5"],
    "groupnorm": ["groupnorm 2", "groupnorm 1", "groupnorm 4 epsilon 0.01"],
    "instancenorm": ["instancenorm", "instancenorm epsilon 0.01"],
    "lrn": ["lrn 3", "lrn 5 alpha 0.5 beta 0.5 k 2"],
    "clip": ["clip 0 6", "clip -1 0.5"], "leaky-relu": ["leaky-relu 0.1"],
    "elu": ["elu", "elu 0.5"], "gelu": ["gelu", "gelu tanh"],
    "layernorm": ["layernorm", "layernorm channels", "layernorm epsilon 0.01"],
    "pad": ["pad 1", "pad 1x0x2x1", "pad channels 1x2", "pad channels 3x0"],
    "flatten": ["flatten", "flatten 2"], "reshape": ["reshape 3x4", "reshape 4x3x1", "reshape 12"],
    "shuffle": ["shuffle 1", "shuffle 2", "shuffle 3", "shuffle 4"],
  ]

  static let names =
    (try? PluginRegistry.linked().plugins(of: .operation)
      .filter { !String(reflecting: $0).contains("Example.") }.map { $0.name }) ?? []

  @Test(arguments: names)
  func `operations conform`(name: String) throws {
    try Conformance.require(operation: name, texts: Self.texts[name] ?? [])
  }

  @Test func `the linked operations are found`() {
    #expect(Self.names.contains("dense") && Self.names.contains("add"))
    #expect(Set(Self.texts.keys).subtracting(Self.names).isEmpty)
  }
}

/// The suite finds each fault, and says nothing else of it.
struct PlantedOperationFaultTests {
  static let types: [any Plugin.Type] = [FaultyScale.self, FaultyLinear.self, FaultyAffine.self]

  private func broken(_ text: String) throws -> Set<ConformanceProperty> {
    let name = String(text.prefix { $0 != " " })
    var suite = try OperationConformance(name, texts: [text], in: PluginRegistry(Self.types))
    if name == FaultyAffine.name { suite.shapes = [[12]] }
    let broken = suite.brokenProperties()
    return Set(broken.map(\.property))
  }

  @Test(arguments: FaultyScale.Fault.allCases)
  func `faults of a kernel and its description`(fault: FaultyScale.Fault) throws {
    #expect(try broken("faulty \(fault.rawValue)") == Self.expected(fault))
  }

  static func expected(_ fault: FaultyScale.Fault) -> Set<ConformanceProperty> {
    switch fault {
    case .none: []
    case .text: [.meansItsText]
    case .refusal: [.acceptsShapes]
    case .sentence: [.refusesShapes]
    case .roles: [.describesParameters]
    case .work: [.countsWork]
    case .shape: [.putsOutItsShape]
    case .samples: [.keepsSamplesApart]
    case .workers: [.ignoresWorkers]
    case .inputs: [.leavesInputs]
    case .gradient: [.hasOperationGradients]
    case .carry: [.scalesBuffers]
    case .needs: [.givesNeededGradients]
    case .averages, .buffers: [.writesAverages]
    case .fusion, .activation: [.fusesTruly]
    case .values: [.keepsValues]
    case .mixing, .forgetting, .unfit: [.relatesAxes]
    case .coupling: [.tellsCoupling]
    }
  }

  @Test(arguments: FaultyLinear.Fault.allCases)
  func `faults of a linear operation`(fault: FaultyLinear.Fault) throws {
    let expected: Set<ConformanceProperty> =
      switch fault {
      case .none: []
      case .axes: [.relatesAxes]
      case .product, .features, .positions, .parts: [.isLinear]
      }
    #expect(try broken("faulty-linear \(fault.rawValue)") == expected)
  }

  @Test func `faults of an affine operation`() throws {
    #expect(try broken("faulty-affine 2") == [])
    #expect(try broken("faulty-affine 3") == [.isAffine])
  }

  @Test func `an operation that is not linked is an error`() {
    #expect(throws: PluginError.self) { try Conformance.require(operation: "nowhere") }
  }
}
