// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWExperiments
import LCWFiles
import LCWReport
import Testing

/// What is in a folder of results is anybody's: what can't be is not trusted.
struct BeliefTests {
  private let place: Workplace
  private let experiment: ResolvedExperiment
  private let folder: ResultFolder

  /// An experiment with a step of each kind but fits, all of them done.
  init() throws {
    place = try Workplace()
    experiment = try place.experiment(
      """
      "training": {"epochs": 1}, "methods": ["arc", "garipov:epochs=1"], "points": 3, "samples": 50,
      "heads": [1], "middles": ["arc"], "planes": ["arc"],
      """)
    folder = try ResultFolder(place.url.appendingPathComponent("x"))
    try finish()
  }

  private func finish() throws {
    try Worker(
      try place.runner(experiment), in: folder, run: UUID().uuidString,
      reports: Worker.Reports(done: { _, _, _, _ in }, failed: { Issue.record("\($0)") }), wait: {}
    ).finish(experiment.steps)
  }

  private func step(_ start: String) throws -> Step {
    try #require(experiment.steps.first { $0.name.hasPrefix(start) })
  }

  private func file(_ step: Step) -> URL {
    folder.folder(of: step).appendingPathComponent("result.json")
  }

  private var open: @Sendable (URL) throws -> any CheckpointSource {
    { [registry = place.registry] in try registry.format(PluginReference("lcw")).open($0) }
  }

  /// Expects that a step, and no other, counts as not done, and that all tables and figures are made
  /// without it.
  private func expectDisbelief(
    _ step: Step, says part: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let findings = Findings(of: experiment, in: folder, open: open)
    #expect(
      findings.missing.map(\.key) == [step.key] && findings.disbelieved.count == 1,
      "\(findings.disbelieved.map(\.description))", sourceLocation: sourceLocation)
    let said = findings.disbelieved.first?.description ?? ""
    #expect(
      said.contains(step.name) && said.contains(part), "\(said)", sourceLocation: sourceLocation)
    try findings.write(to: place.url.appendingPathComponent("results"), command: "lcw")
  }

  private func fixture(_ name: String) throws -> String {
    let file = try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil))
    return try String(contentsOf: file, encoding: .utf8)
  }

  @Test func allIsBelievedAsItWasWritten() throws {
    let findings = Findings(of: experiment, in: folder, open: open)
    #expect(findings.missing.isEmpty, "\(findings.disbelieved.map(\.description))")
  }

  @Test(arguments: [
    ("result-1.json", "neurons", "explained"), ("result-2.json", "train 1", "seconds"),
    ("result-3.json", "train 2", "seconds"),
  ])
  func aHostileResultIsNotBelieved(fixture name: String, step start: String, field: String) throws {
    let step = try step(start)
    var fields = try #require(JSONValue(parsing: Array(try fixture(name).utf8)).object)
    fields["key"] = .string(step.key)
    try Data(JSONValue.object(fields).compactText.utf8).write(to: file(step))
    try expectDisbelief(step, says: field)
    // It is put aside and done anew.
    for result in folder.disbelieved(experiment.steps, of: experiment, open: open) {
      try folder.setAside(result.step)
    }
    #expect(!folder.isDone(step))
    try finish()
    #expect(Findings(of: experiment, in: folder, open: open).missing.isEmpty)
  }

  /// Every number of every result, one after the other, in the place of which stands what traps where it
  /// is believed. Nothing ends the process, whatever is believed.
  @Test(arguments: [
    JSONValue.integer(1 << 62), .integer(.max), .integer(.min), .number(1e300), .number(-1e300),
    "nan", "inf", "-inf", .number(.leastNonzeroMagnitude), "text", .array([]), .object([:]),
  ])
  func noNumberInAResultTraps(number: JSONValue) throws {
    var count = 0
    for step in experiment.steps {
      let bytes = try Data(contentsOf: file(step))
      let whole = try JSONValue(parsing: Array(bytes))
      for changed in whole.replacingEachNumber(by: number) {
        try Data(changed.compactText.utf8).write(to: file(step))
        let findings = Findings(of: experiment, in: folder)
        for figure in findings.figures { _ = figure.picture.svg() }
        _ = findings.markdown(command: "lcw", figuresFrom: ".")
        _ = findings.report(command: "lcw").html
        count += 1
      }
      try bytes.write(to: file(step))
    }
    #expect(count > 50)
  }

  @Test func whatIsTooMuchIsNotBelieved() throws {
    let connect = try step("arc")
    var fields = try #require(folder.result(of: connect)?.object)
    let point = try #require(fields["points"]?.array?.first)
    fields["points"] = .array(Array(repeating: point, count: 100_001))
    let before = try Data(contentsOf: file(connect))
    try Data(JSONValue.object(fields).compactText.utf8).write(to: file(connect))
    let start = ContinuousClock.now
    try expectDisbelief(connect, says: "points")
    #expect(ContinuousClock.now - start < .seconds(60))
    try before.write(to: file(connect))
    let middles = try step("neurons")
    var pictures = try #require(folder.result(of: middles)?.object)
    let panel = try #require(pictures["panels"]?.array?.first)
    pictures["panels"] = .array(Array(repeating: panel, count: 3000))
    try Data(JSONValue.object(pictures).compactText.utf8).write(to: file(middles))
    try expectDisbelief(middles, says: "panels")
  }

  @Test func aNetworkOfAnotherSeedIsNotBelieved() throws {
    let (first, second) = (try step("train 1"), try step("train 2"))
    let files = try [first, second].map { try #require(folder.product(of: $0)) }
    let bytes = try Data(contentsOf: files[0])
    try FileManager.default.removeItem(at: files[0])
    try FileManager.default.copyItem(at: files[1], to: files[0])
    try expectDisbelief(first, says: "its training.seed is \"2\", and this step's is \"1\"")
    // Nor by a step that needs it, if it is put there later.
    let runner = try place.runner(experiment)
    #expect(throws: ExperimentError.self) { try runner.run(try step("arc"), in: folder) }
    for result in folder.disbelieved(experiment.steps, of: experiment, open: open) {
      try folder.setAside(result.step)
    }
    try finish()
    #expect(try Data(contentsOf: files[0]) == bytes)
  }

  @Test func aPathOfOtherNetworksIsNotMeasured() throws {
    let learned = try #require(folder.product(of: try step("learn")))
    let other = try place.experiment(
      """
      "training": {"epochs": 2}, "methods": ["garipov:epochs=1"], "points": 3,
      """)
    let elsewhere = try ResultFolder(place.url.appendingPathComponent("y"))
    try Worker(
      try place.runner(other), in: elsewhere, run: "y",
      reports: Worker.Reports(done: { _, _, _, _ in }, failed: { Issue.record("\($0)") }), wait: {}
    ).finish(other.steps)
    let step = try #require(other.steps.first { $0.name.hasPrefix("learn") })
    try FileManager.default.removeItem(at: learned)
    try FileManager.default.copyItem(at: try #require(elsewhere.product(of: step)), to: learned)
    let error = #expect(throws: ExperimentError.self) {
      try place.runner(experiment).run(try self.step("garipov"), in: folder)
    }
    #expect(error?.description.contains("does not join the networks 1–2") == true)
  }

  @Test func whatWasPutAsideBeforeIsNoObstacle() throws {
    let files = FileManager.default
    let train = try step("train 1")
    for _ in 0..<2 {
      try? files.removeItem(at: file(train))
      try files.createDirectory(at: file(train), withIntermediateDirectories: true)
      try folder.setAside(train)
      #expect(!files.fileExists(atPath: file(train).path))
    }
    try Data("no result".utf8).write(to: file(train))
    try folder.setAside(train)
    #expect(!files.fileExists(atPath: file(train).path))
  }

  @Test func nothingIsWrittenThroughALink() throws {
    let files = FileManager.default
    let mine = try place.file("mine.txt", "mine")
    func link(_ url: URL, to target: URL) throws {
      try? files.removeItem(at: url)
      try files.createSymbolicLink(at: url, withDestinationURL: target)
    }
    let train = try step("train 1")
    let product = try #require(folder.product(of: train))
    try link(file(train), to: mine)
    try link(product, to: mine)
    try place.runner(experiment).run(train, in: folder)
    #expect(try String(contentsOf: mine, encoding: .utf8) == "mine")
    #expect(
      folder.isDone(train) && Findings(of: experiment, in: folder, open: open).missing.isEmpty)
    // Tables and figures.
    let results = place.url.appendingPathComponent("x/results")
    try files.createDirectory(at: results, withIntermediateDirectories: true)
    for name in ["accuracy.csv", "report.html", ".lcw-files", "plane-arc.svg"] {
      try link(results.appendingPathComponent(name), to: mine)
    }
    let findings = Findings(of: experiment, in: folder)
    try findings.write(to: results, command: "lcw")
    #expect(try String(contentsOf: mine, encoding: .utf8) == "mine")
    // A folder that is a link leads elsewhere.
    let outside = place.url.appendingPathComponent("outside")
    try files.createDirectory(at: outside, withIntermediateDirectories: true)
    try link(folder.folder(of: train), to: outside)
    let error = #expect(throws: FileError.self) { try finish() }
    #expect(error?.description.contains("is a link") == true)
    try link(results, to: outside)
    #expect(throws: FileError.self) { try findings.write(to: results, command: "lcw") }
    #expect(try files.contentsOfDirectory(atPath: outside.path).isEmpty)
  }

  @Test func whatAnExperimentAsksForIsBounded() throws {
    let many = (1...101).map { "\"flow:model=m\($0).lcw\"" }.joined(separator: ", ")
    for (fields, part) in [
      ("\"networks\": 1000, \"methods\": [\"arc\"],", "at most 100000 steps"),
      ("\"methods\": [\(many)],", "at most 100 methods"),
      ("\"middles\": [\(many)],", "at most 100 methods"),
      (
        "\"fits\": [{\"name\": \"a\", \"method\": \"flow\", \"networks\": "
          + "[\((1...1001).map(String.init).joined(separator: ","))]}],", "at most 1000"
      ),
      (
        "\"scales\": {\((1...101).map { "\"s\($0)\": {}" }.joined(separator: ","))},",
        "at most 100 objects"
      ),
    ] {
      let error = #expect(throws: ExperimentError.self) { try place.experiment(fields) }
      #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }
    _ = try place.experiment("\"networks\": 1000, \"methods\": [\"arc\"], \"pairs\": 1000,")
  }
}

extension JSONValue {
  /// The value with one number after the other replaced.
  fileprivate func replacingEachNumber(by number: JSONValue) -> [JSONValue] {
    switch self {
    case .integer, .number: return [number]
    case .string, .bool: return []
    case .array(let values):
      // Of a long list the ends say enough.
      return values.indices.filter { $0 < 2 || $0 == values.count - 1 }.flatMap { index in
        values[index].replacingEachNumber(by: number).map { changed in
          var values = values
          values[index] = changed
          return .array(values)
        }
      }
    case .object(let members):
      return members.sorted { $0.key < $1.key }.flatMap { key, value in
        value.replacingEachNumber(by: number).map { changed in
          .object(members.merging([key: changed]) { $1 })
        }
      }
    }
  }
}
