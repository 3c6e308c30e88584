// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWExperiments
import Testing

struct ResolvedExperimentTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  private func failure(_ fields: String, scale: String = "paper") -> String {
    do {
      _ = try place.experiment(fields, scale: scale)
      return "nothing is wrong"
    } catch { return "\(error)" }
  }

  @Test func twoSpellingsAreOneMethodAndOneFolder() throws {
    let plain = try place.experiment("\"methods\": [\"garipov\"], \"planes\": [\"garipov\"],")
    let spelled = try place.experiment(
      """
      "methods": ["garipov:points=3", "garipov", "garipov:points=03"],
      "planes": ["garipov:rate=2e-2", "garipov:rate=0.020"],
      """)
    #expect(spelled.methods.map(\.description) == ["garipov:points=3"])
    #expect(spelled.planes.map(\.description) == ["garipov:rate=2e-2"])
    #expect(spelled.steps.map(\.key) == plain.steps.map(\.key))
    #expect(spelled.steps.map(\.folderName) == plain.steps.map(\.folderName))
    #expect(plain.steps.count == 2 + 1 + 1 + 1)
    let folders = plain.steps.map { $0.folderName.dropLast(17) }
    #expect(
      folders == [
        "train-1", "train-2", "learn-garipov-1-2", "connect-garipov-1-2", "plane-garipov-1-2",
      ])
    #expect(plain.steps.allSatisfy { $0.folderName.hasSuffix("-\($0.key.prefix(16))") })
  }

  @Test func keysOfMethodsStayWhatTheyWere() throws {
    // Results that are kept must be found again.
    func key(_ method: String) throws -> String? {
      try place.experiment("\"methods\": [\"\(method)\"],").steps.last?.key
    }
    #expect(
      try key("arc") == "e3dca42ad66070c53c7623f9d26f01bc23990c150f0de35909a82962d0aba1c1")
    #expect(
      try key("garipov:rate=0.01")
        == "8c046ff1521994021987790380c1ebd98bd62b268b1ef06f9275619337c06421")
    #expect(try key("garipov:rate=1e-2") == key("garipov:rate=0.01"))
    // A whole number was kept as it was given.
    #expect(try key("garipov:rate=1") != key("garipov:rate=1.0"))
  }

  @Test func aModelFileCountsByItsContent() throws {
    let file = try place.file("m.lcw", "one")
    func keys() throws -> [String] {
      try place.experiment("\"methods\": [\"flow:model=\(file.path)\", \"arc\"],").steps.map(\.key)
    }
    let before = try keys()
    #expect(try keys() == before)
    try Data("two".utf8).write(to: file)
    let after = try keys()
    #expect(zip(before, after).map { $0 == $1 } == [true, true, false, true])
    try FileManager.default.removeItem(at: file)
    #expect(throws: ExperimentError.self) { try keys() }
    #expect(failure("\"methods\": [\"flow:model=absent.lcw\"],").contains("absent.lcw"))
  }

  @Test func whatWouldFailLaterIsToldFirst() throws {
    #expect(failure("\"methods\": [\"flow\"],").contains("with the model"))
    #expect(failure("\"methods\": [\"linear+wa\", \"flow+wa\"],").contains("‘flow+wa’"))
    for method in ["linear", "arc", "ot", "linear+wa", "garipov"] {
      let experiment = try place.experiment("\"planes\": [\"\(method)\"],")
      if method == "linear" {
        #expect(throws: ExperimentError.self) { try place.runner(experiment) }
      } else {
        _ = try place.runner(experiment)
      }
    }
  }

  @Test func aSlipInAFitThatNoMethodNeedsIsToldToo() throws {
    let fits = """
      "methods": ["arc"], "networks": 4,
      "fits": [{"name": "n", "method": "nosuch", "networks": [4]}],
      """
    #expect(failure(fits).contains("nosuch"), "\(failure(fits))")
  }

  @Test func networksOfSeveralFitsCountOnce() throws {
    let fits = (1...100).map { number in
      "{\"name\": \"f\(number)\", \"method\": \"flow\", \"networks\": [\((1...990).map(String.init).joined(separator: ","))]}"
    }
    let methods = (1...100).map { "\"flow:model=@f\($0)\"" }
    // A thousand networks, a hundred fits that mean the same, a hundred paths.
    let experiment = try place.experiment(
      """
      "networks": 1000, "pairs": 1, "methods": [\(methods.joined(separator: ","))],
      "fits": [\(fits.joined(separator: ","))],
      """)
    #expect(experiment.steps.count == 1000 + 1 + 100)
  }

  @Test func publishedFiguresFindTheirMethodHoweverItIsSpelled() throws {
    let published = """
      "methods": ["garipov:rate=1e-2", "arc"],
      "published": {"garipov:points=3,rate=0.01": {"train": 50}, "end points": {"train": 60}},
      "scales": {"small": {"methods": ["garipov:epochs=2"],
        "published": {"garipov:epochs=2,points=3": {"train": 40}}}},
      """
    let whole = try place.experiment(published)
    #expect(whole.published["garipov:rate=1e-2"]?.train?.mean == 50)
    let small = try place.experiment(published, scale: "small")
    #expect(small.published["garipov:epochs=2"]?.train?.mean == 40)
    for (fields, row) in [
      ("\"methods\": [\"arc\"], \"published\": {\"ark\": {\"train\": 5}},", "published.ark"),
      (
        "\"methods\": [\"arc\"], \"published\": {\"endpoints\": {\"train\": 5}},",
        "published.endpoints"
      ),
      (
        "\"methods\": [\"garipov\"], \"published\": {\"garipov:points=4\": {\"train\": 5}},",
        "published.garipov:points=4"
      ),
    ] {
      #expect(failure(fields).contains(row), "\(failure(fields))")
    }
  }

  @Test func `published figures are of the scale's own architecture if it names figures`() throws {
    let fields = """
      "methods": ["arc", "linear"], "published": {"arc": {"train": 50}},
      "scales": {
        "wide": {"architecture": "mlp:hidden=8", "published": {"arc": {"train": 40}}},
        "other": {"architecture": "mlp:hidden=8"},
        "again": {"architecture": "mlp:hidden=8", "published": {"linear": {"train": 50}}},
        "few": {"points": 3}},
      """
    #expect(try place.experiment(fields).publishedArchitecture == nil)
    #expect(try place.experiment(fields, scale: "few").publishedArchitecture == nil)
    #expect(try place.experiment(fields, scale: "wide").publishedArchitecture == nil)
    let full = try place.experiment(fields).architecture
    #expect(try place.experiment(fields, scale: "other").publishedArchitecture == full)
    #expect(try place.experiment(fields, scale: "again").publishedArchitecture == full)
  }

  @Test func `a curve is learned once, whatever changes the path behind it`() throws {
    let both = try place.experiment(
      """
      "training": {"epochs": 1}, "points": 3, "refine": false,
      "methods": ["garipov:epochs=1", "garipov:epochs=1+repair:samples=90"],
      """)
    let steps = both.steps
    let learning = steps.filter { $0.name.hasPrefix("learn") }
    #expect(learning.map(\.name) == ["learn garipov:epochs=1 1–2"])
    let connecting = steps.filter { if case .connect = $0.work { true } else { false } }
    #expect(connecting.count == 2 && connecting.allSatisfy { $0.needs.contains(learning[0].key) })
    let folder = try ResultFolder(place.url.appendingPathComponent("x"))
    try Worker(
      try place.runner(both), in: folder, run: "r",
      reports: Worker.Reports(done: { _, _, _, _ in }, failed: { _ in }), wait: {}
    ).finish(steps)
    func losses(_ step: Step) throws -> [Double] {
      try #require(folder.result(of: step)?.object?["points"]?.array).compactMap {
        $0.object?["train"]?.array?[1].double
      }
    }
    // The ends stay, and in the middle the moments are corrected.
    let (plain, repaired) = (try losses(connecting[0]), try losses(connecting[1]))
    #expect(plain.count == 3 && repaired.count == 3)
    #expect(abs(plain[0] - repaired[0]) < 1e-6 && abs(plain[2] - repaired[2]) < 1e-6)
    #expect(abs(plain[1] - repaired[1]) > 1e-5)
  }
}
