// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWExperiments
import LCWNetworks
import LCWNumerics
import LCWPaths
import LCWReport
import Testing

/// Networks that an experiment reads from files in the place of training them.
struct NetworkFileTests {
  private let place: Workplace
  private let network: Network

  init() throws {
    place = try Workplace()
    network = try place.registry.architecture(PluginReference("mlp:hidden=9"))
      .network(inputShape: [1, 8, 8], classes: 10)
  }

  private func write(_ name: String, seed: UInt64, record: [String: JSONValue] = [:]) throws {
    let trained = TrainedNetwork(
      architecture: try PluginReference("mlp:hidden=9"),
      weights: try Weights(randomFor: network, seed: seed),
      dataset: try PluginReference("digits"), record: record)
    try place.registry.format(PluginReference("lcw")).write(
      Checkpoint(trained), to: place.url.appendingPathComponent(name))
  }

  private func experiment(_ patterns: String, _ more: String = "") throws -> ResolvedExperiment {
    try place.experiment(
      """
      "networks": {"files": [\(patterns)]}, "methods": ["linear"], "points": 3\(more),
      """)
  }

  private func pattern(_ name: String) -> String { "\"\(place.url.path)/\(name)\"" }

  private func failure(_ work: () throws -> Void) -> String {
    do {
      try work()
      return "nothing is wrong"
    } catch { return "\(error)" }
  }

  private func finish(_ experiment: ResolvedExperiment, in folder: ResultFolder) throws {
    try Worker(
      try place.runner(experiment), in: folder, run: UUID().uuidString,
      reports: Worker.Reports(done: { _, _, _, _ in }, failed: { _ in }), wait: {}
    ).finish(experiment.steps)
  }

  @Test func `patterns stand for files in the order of their numbers, each once`() throws {
    for number in [10, 2, 1] { try write("n-\(number).lcw", seed: UInt64(number)) }
    try write("a[1].lcw", seed: 4)
    try FileManager.default.createDirectory(
      at: place.url.appendingPathComponent("n-3.lcw"), withIntermediateDirectories: false)
    let found = try experiment(
      [pattern("a[1].lcw"), pattern("n-*.lcw"), pattern("n-2.lcw")].joined(separator: ","))
    #expect(
      found.files.map { URL(fileURLWithPath: $0.path).lastPathComponent }
        == ["a[1].lcw", "n-1.lcw", "n-2.lcw", "n-10.lcw"])
    #expect(found.networks == 4 && found.pairs.count == 6)
    #expect(found.steps[3].name == "network 4 of n-10.lcw")
    #expect(found.steps[3].folderName.hasPrefix("network-4-"))
    #expect(failure { _ = try experiment(pattern("m-*.lcw")) }.contains("m-*.lcw: no network file"))
    #expect(failure { _ = try experiment(pattern("n-1.lcw")) }.contains("‘networks’ should be 2"))
    #expect(failure { _ = try experiment("") }.contains("‘networks.files’ should be a list"))
    #expect(
      failure { _ = try place.experiment("\"networks\": {\"file\": [\"a\"]},") }
        .contains("should be a list"))
    #expect(
      failure {
        _ = try experiment(
          pattern("n-*.lcw"),
          ", \"planes\": [\"flow:model=@f\"], \"fits\": [{\"name\": \"f\", \"method\": \"flow\", \"networks\": [4]}]"
        )
      }.contains("‘fits.f.networks’ should be numbers of the files, from 1 to 3"))
  }

  @Test func `the networks of files are joined as they are, and results name them`() throws {
    try write("1.lcw", seed: 1, record: ["training": "a text, of elsewhere"])
    try write("2.lcw", seed: 2, record: ["training": .object(["epochs": 7, "seed": "2"])])
    let experiment = try experiment(pattern("?.lcw"))
    let folder = try ResultFolder(place.url.appendingPathComponent("x"))
    try finish(experiment, in: folder)
    let findings = Findings(of: experiment, in: folder)
    #expect(findings.missing.isEmpty)
    let digits = try place.runner(experiment).data
    let expected = try Runner(network).evaluate(
      Weights(randomFor: network, seed: 2), on: digits.test, workers: .init(1))
    let rows = findings.networkTable.json.array ?? []
    #expect(rows.last?.object?["network"]?.integer == 2)
    #expect(rows.last?.object?["test_accuracy"]?.double == expected.accuracy)
    let notes = findings.networkTable.notes.joined(separator: "\n")
    #expect(notes.contains("1: 1.lcw, SHA-256 \(experiment.files[0].digest.prefix(16))…; a text"))
    #expect(notes.contains("; epochs 7, seed 2"))
    #expect(
      findings.markdown(command: "x", figuresFrom: ".").contains("read from files, which"))
    // The middle of a straight path is at 1/2, a point of the grid.
    let along = try #require(findings.alongTable.json.array?.first?.object)
    let points = try #require(
      folder.result(of: experiment.steps[2])?.object?["points"]?.array)
    #expect(along["middle_test_accuracy"] == points[1].object?["test"]?.array?[0])
    #expect(
      along["largest_train_loss"]?.double
        == points.compactMap { $0.object?["train"]?.array?[1].double }.max())
  }

  @Test func `a long text of a training is kept as far as a result may hold it`() throws {
    for (seed, text) in [
      (1, String(repeating: "a" + String(repeating: "\u{301}", count: 20), count: 400)),
      (2, String(repeating: "é", count: 9000)),
    ] {
      try write("\(seed).lcw", seed: UInt64(seed), record: ["training": .string(text)])
    }
    let experiment = try experiment(pattern("?.lcw"))
    let folder = try ResultFolder(place.url.appendingPathComponent("x"))
    try finish(experiment, in: folder)
    #expect(Findings(of: experiment, in: folder).missing.isEmpty)
    let origin = try #require(
      folder.result(of: experiment.steps[1])?.object?["origin"]?.object?["training"]?.string)
    #expect(origin.hasPrefix("éé") && (900...1000).contains(origin.utf8.count))
  }

  @Test func `the ends and the middle alone can be measured`() throws {
    for seed in 1...2 { try write("\(seed).lcw", seed: UInt64(seed)) }
    func described(_ points: String) throws -> ResolvedExperiment {
      try place.experiment(
        """
        "networks": {"files": [\(pattern("?.lcw"))]}, "methods": ["linear", "ot"],
        "refine": false, "points": \(points),
        """)
    }
    let (middle, grid) = (try described("\"middle\""), try described("3"))
    #expect(
      zip(middle.steps, grid.steps).map { $0.key == $1.key } == [true, true, false, false])
    #expect(failure { _ = try described("\"end\"") }.contains("‘points’ should be an integer"))
    let folder = try ResultFolder(place.url.appendingPathComponent("x"))
    try finish(middle, in: folder)
    try finish(grid, in: folder)
    for method in 0...1 {
      func points(_ experiment: ResolvedExperiment) throws -> [JSONValue] {
        try #require(
          folder.result(of: experiment.steps[2 + method])?.object?["points"]?.array)
      }
      let (few, many) = (try points(middle), try points(grid))
      #expect(few.count == 3)
      // Optimal transport ends with stages that find places: its middle is that of its first stage.
      #expect(few[1].object?["t"]?.double == 0.5)
      let there = try #require(many.first { $0.object?["t"]?.double == 0.5 }?.object)
      let found = try #require(few[1].object?["test"]?.array?[1].double)
      #expect(abs(found - (there["test"]?.array?[1].double ?? .nan)) < 1e-6)
    }
    let findings = Findings(of: middle, in: folder)
    #expect(findings.missing.isEmpty)
    #expect(findings.accuracyTable.notes.contains { $0.contains("in the middle only") })
    #expect(middle.scaledDown.isEmpty)
  }

  @Test func `a file counts by its content, and one that has changed is refused`() throws {
    for seed in 1...2 { try write("\(seed).lcw", seed: UInt64(seed)) }
    let before = try experiment(pattern("*.lcw"))
    try write("2.lcw", seed: 3)
    let after = try experiment(pattern("*.lcw"))
    #expect(zip(before.steps, after.steps).map { $0.key == $1.key } == [true, false, false])
    let folder = try ResultFolder(place.url.appendingPathComponent("x"))
    let stale = failure { try finish(before, in: folder) }
    #expect(stale.contains("2.lcw: it has changed since this run began"), "\(stale)")
    try finish(after, in: folder)
    // Another network in the place of the one that was kept is not trusted.
    let kept = try #require(folder.product(of: after.steps[1]))
    let first = try #require(folder.product(of: after.steps[0]))
    try FileManager.default.removeItem(at: kept)
    try FileManager.default.copyItem(at: first, to: kept)
    let doubted = folder.disbelieved(after.steps, of: after) { [registry = place.registry] in
      try registry.format(PluginReference("lcw")).open($0)
    }
    #expect(doubted.map(\.step.key) == [after.steps[1].key])
    #expect(doubted.first?.reason.contains("origin.digest") == true)
  }

  @Test func `a file with another network is refused with both`() throws {
    for seed in 1...2 { try write("\(seed).lcw", seed: UInt64(seed)) }
    let other = try place.experiment(
      "\"networks\": {\"files\": [\(pattern("*.lcw"))]}, \"methods\": [\"linear\"], \"points\": 3,"
    ) { $0.architecture = try PluginReference("mlp:hidden=8") }
    let folder = try ResultFolder(place.url.appendingPathComponent("x"))
    let said = failure { try finish(other, in: folder) }
    #expect(said.contains("mlp:hidden=9 of samples [1, 8, 8], and not mlp:hidden=8"), "\(said)")
  }

  @Test func `what is asked at full scale is told beside the files`() throws {
    for seed in 1...2 { try write("\(seed).lcw", seed: UInt64(seed)) }
    let resolved = try place.experiment(
      "\"training\": {\"epochs\": 9}, \"methods\": [\"linear\"],"
    ) {
      $0.networks = .files(["\(place.url.path)/*.lcw"])
      $0.training.epochs = 3
    }
    #expect(
      resolved.scaledDown == ["networks: those of *.lcw instead of 2"])
  }
}
