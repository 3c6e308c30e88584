// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWConformance
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import Testing

/// The suite finds a fault in each property, and none where none was planted.
struct PlantedFaultTests {
  @Test(arguments: ConformanceProperty.allCases)
  func `a planted fault is found`(property: ConformanceProperty) throws {
    let broken = try broken(by: property)
    #expect(broken.contains { $0.property == property }, "\(broken)")
  }

  @Test
  func `without a fault nothing is found`() throws {
    #expect(try method(nil).isEmpty)
    #expect(try architecture("none").isEmpty)
    #expect(try format(FaultyFormat.self, "none").isEmpty)
    #expect(try dataset("none").isEmpty)
  }

  @Test
  func `faults of a second kind are found`() throws {
    #expect(try dataset("another").contains { $0.property == .repeats })
    #expect(try method(.toldFunction).contains { $0.property == .agreesWithStructure })
    #expect(try method(.toldTogether).contains { $0.property == .agreesWithStructure })
    #expect(try method(.toldLast).contains { $0.property == .agreesWithStructure })
    #expect(
      try format(FaultyFormat.self, "none", isChecksummed: true).contains {
        $0.property == .refusesFlips
      })
  }

  @Test
  func `files that are missing are a fault where they should be there`() throws {
    let folder = URL(fileURLWithPath: "/nowhere", isDirectory: true)
    let absent = try dataset("absent", folder: folder)
    #expect(absent.map(\.property) == [.hasSamples, .hasSamples])
    #expect(absent.allSatisfy { $0.finding.contains("/nowhere") })
    // One of the splits is there, so the other should be, wherever it was looked for.
    #expect(try dataset("no-test").map(\.property) == [.hasSamples])
    // A machine need not have any of the files.
    #expect(try dataset("absent").isEmpty)
  }

  @Test(arguments: ["other-error", "unreadable", "no-double"])
  func `a type that a format does not hold and does not refuse is found`(fault: String) throws {
    let broken = try format(FaultyFormat.self, fault)
    #expect(
      broken.contains {
        $0.property == .roundTrips && $0.finding.contains(ElementType.float64.rawValue)
      })
  }

  @Test(arguments: ["no-doubles", "no-integers"])
  func `a format may refuse a type`(fault: String) throws {
    #expect(try format(FaultyFormat.self, fault).isEmpty)
  }

  @Test
  func `an error names the plugin and every promise it breaks`() {
    let error = ConformanceError(
      plugin: "odd",
      broken: [BrokenProperty(.startsAtFirst, "no"), BrokenProperty(.isFinite, "neither")])
    #expect(
      error.description == "odd does not conform: starts at A: no; is finite: neither")
  }

  @Test
  func `a plugin that is not linked is an error`() {
    #expect(throws: PluginError.self) { try Conformance.require(method: "nowhere") }
  }

  // A switch, so that a new property without a fault does not compile.
  private func broken(by property: ConformanceProperty) throws -> [BrokenProperty] {
    switch property {
    case .describesItself: try dataset("none", of: Mumbling.self)
    case .refusesProperly: try method(.undescribed)
    case .joins: try method(.refusal)
    case .hasPoints: try method(.throwing)
    case .startsAtFirst: try method(.start)
    case .endsAtSecond: try method(.end)
    case .isFinite: try method(.notFinite)
    case .isContinuous: try method(.jump)
    case .agreesWithStructure: try method(.told)
    case .repeats: try method(.unrepeated)
    case .refusesMismatch: try method(.mismatch)
    case .makesNetworks: try architecture("refusal")
    case .hasShapes: try architecture("classes")
    case .keepsOptions: try architecture("reference")
    case .hasGradients: try doubledGradient()
    case .reachesParameters: try architecture("dropout")
    case .survivesCheckpoint: try architecture("comma")
    case .recognisesFiles: try format(GreedyFormat.self, "none")
    case .roundTrips: try format(FaultyFormat.self, "zeros")
    case .refusesCuts: try format(FaultyFormat.self, "lenient")
    case .refusesFlips: try format(FaultyFormat.self, "undescribed")
    case .namesFiles: try format(FaultyFormat.self, "nameless")
    case .refusesMissingTensors: try format(FaultyFormat.self, "generous")
    case .writesAtomically: try format(FaultyFormat.self, "in-place")
    case .hasSamples: try dataset("classes")
    case .hasRanges: try dataset("values")
    case .hasLabels: try dataset("labels")
    case .keepsSplitsApart: try dataset("splits")
    case .namesMissingFiles: try dataset("missing")
    case .meansItsText: try operation("faulty text")
    case .acceptsShapes: try operation("faulty refusal")
    case .refusesShapes: try operation("faulty sentence")
    case .describesParameters: try operation("faulty roles")
    case .countsWork: try operation("faulty work")
    case .putsOutItsShape: try operation("faulty shape")
    case .keepsSamplesApart: try operation("faulty samples")
    case .ignoresWorkers: try operation("faulty workers")
    case .leavesInputs: try operation("faulty inputs")
    case .hasOperationGradients: try operation("faulty gradient")
    case .scalesBuffers: try operation("faulty carry")
    case .givesNeededGradients: try operation("faulty needs")
    case .writesAverages: try operation("faulty averages")
    case .fusesTruly: try operation("faulty fusion")
    case .keepsValues: try operation("faulty values")
    case .relatesAxes: try operation("faulty mixing")
    case .tellsCoupling: try operation("faulty coupling")
    case .isLinear: try operation("faulty-linear product")
    case .isAffine: try operation("faulty-affine 3")
    }
  }

  private func operation(_ text: String) throws -> [BrokenProperty] {
    try OperationConformance(
      String(text.prefix { $0 != " " }), texts: [text],
      in: PluginRegistry(PlantedOperationFaultTests.types)
    ).brokenProperties()
  }

  private func method(_ fault: FaultyPath.Fault?) throws -> [BrokenProperty] {
    try MethodConformance { a, b, context in
      if fault == .undescribed { throw FaultyPath.Undescribed() }
      if fault == .refusal {
        throw ConnectionError.tooFewLayers(method: "odd", needed: 99, found: 2)
      }
      if fault != .mismatch, a.network != b.network {
        throw NetworkError.mismatch("\(a.network)", "\(b.network)")
      }
      return FaultyPath(from: a, to: b, fault: fault)
    }.brokenProperties()
  }

  private func architecture(_ fault: String) throws -> [BrokenProperty] {
    try ArchitectureConformance(
      "faulty:fault=\(fault)", in: PluginRegistry([FaultyArchitecture.self])
    ).brokenProperties()
  }

  private func doubledGradient() throws -> [BrokenProperty] {
    var check = GradientCheck(
      try Network(
        inputShape: [5],
        layers: [.dense(outputs: 6, bias: true), .tanh, .dense(outputs: 3, bias: true)]))
    #expect(try check.brokenProperties().isEmpty)
    let right = check.gradient
    check.gradient = { runner, input, labels, weights in
      var result = right(runner, input, labels, weights)
      for index in result.gradients.indices {
        for element in 0..<result.gradients[index].count {
          result.gradients[index].elements[element] *= 2
        }
      }
      return result
    }
    return try check.brokenProperties()
  }

  private func format(
    _ type: any CheckpointFormat.Type, _ fault: String, isChecksummed: Bool = false
  ) throws -> [BrokenProperty] {
    try FormatConformance(
      "\(type.name):fault=\(fault)", in: PluginRegistry([type]), isChecksummed: isChecksummed
    ).brokenProperties()
  }

  private func dataset(
    _ fault: String, of type: any Dataset.Type = FaultyDataset.self, folder: URL? = nil
  ) throws -> [BrokenProperty] {
    try DatasetConformance(
      "\(type.name):fault=\(fault)", in: PluginRegistry([type]), folder: folder
    ).brokenProperties()
  }
}
