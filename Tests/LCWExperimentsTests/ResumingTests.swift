// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWExperiments
import LCWFiles
import Testing

struct ResumingTests {
  private let place: Workplace
  private let experiment: ResolvedExperiment
  private let folder: ResultFolder
  private let learning: Step

  /// Two networks that are trained, and the curve between them, which is not learned yet.
  init() throws {
    place = try Workplace()
    experiment = try place.experiment(
      "\"training\": {\"epochs\": 3}, \"methods\": [\"garipov:epochs=5\"], \"points\": 3,")
    folder = try ResultFolder(place.url.appendingPathComponent("x"))
    learning = try #require(experiment.steps.first { $0.name.hasPrefix("learn") })
    try make(folder.folder(of: learning))
    let runner = try place.runner(experiment)
    for step in experiment.steps.prefix(2) {
      try make(folder.folder(of: step))
      try runner.run(step, in: folder)
    }
  }

  private func make(_ folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func state(of step: Step) -> URL {
    folder.folder(of: step).appendingPathComponent("state.lcw")
  }

  private func isThere(_ file: URL) -> Bool {
    FileManager.default.fileExists(atPath: file.path)
  }

  /// Learns until a number of states were to be kept, the last of which finds no room.
  private func learn(untilKeep last: Int) throws {
    let keeps = Notices()
    let whole = try place.runner(experiment)
    let runner = try place.runner(experiment) { checkpoint, file in
      keeps.add(file.path)
      guard keeps.all.count < last else {
        throw FileError.failed(operation: "write", file: file.path, reason: "no room")
      }
      try whole.write(checkpoint, file)
    }
    #expect(throws: FileError.self) { try runner.run(learning, in: folder) }
    #expect(keeps.all.count == last)
  }

  @Test func whatGoesWrongInTheWorkLeavesTheState() throws {
    try learn(untilKeep: 3)
    let kept = try Data(contentsOf: state(of: learning))
    // It is gone on from, and stays as it is where the next one finds no room.
    try learn(untilKeep: 1)
    #expect(try Data(contentsOf: state(of: learning)) == kept)
    let notices = Notices()
    var runner = try place.runner(experiment)
    runner.notice = { notices.add($0) }
    try runner.run(learning, in: folder)
    let result = try folder.result(of: learning)?.object
    #expect(result?["resumed"] == true && result?["begun_anew"] == nil)
    #expect(notices.all.isEmpty && !isThere(state(of: learning)))
  }

  @Test(arguments: [false, true])
  func aStateThatCanNotBeGoneOnFromIsSaidSo(isDamaged: Bool) throws {
    try learn(untilKeep: 2)
    if isDamaged { try Data("nothing".utf8).write(to: state(of: learning)) }
    let notices = Notices()
    var runner = try place.runner(experiment, threads: isDamaged ? 1 : 2)
    runner.notice = { notices.add($0) }
    try runner.run(learning, in: folder)
    let result = try folder.result(of: learning)?.object
    #expect(result?["resumed"] == false)
    let reason = try #require(result?["begun_anew"]?.string)
    #expect(notices.all.count == 1 && notices.all[0].contains("restarted"))
    #expect(notices.all.first?.contains(reason) == true)
    #expect(reason.contains(isDamaged ? "state.lcw" : "threads"), "\(reason)")
  }

  @Test func aTrainingBeginsAnewFromAStateThatCanNotBeRead() throws {
    let step = try #require(experiment.steps.first)
    let product = try #require(folder.product(of: step))
    let bytes = try Data(contentsOf: product)
    try FileManager.default.removeItem(at: folder.folder(of: step))
    try make(folder.folder(of: step))
    try Data("nothing".utf8).write(to: state(of: step))
    let notices = Notices()
    var runner = try place.runner(experiment)
    runner.notice = { notices.add($0) }
    try runner.run(step, in: folder)
    #expect(try Data(contentsOf: product) == bytes)
    #expect(notices.all.count == 1 && notices.all[0].hasPrefix("train 1 is restarted"))
    let result = try folder.result(of: step)?.object
    #expect(result?["resumed"] == false && result?["begun_anew"] != nil)
  }
}
