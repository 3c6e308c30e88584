// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks

extension ConvertCommand {
  /// Says which layers nothing but their order tells apart: a network that skips or joins some of them has
  /// tensors of the same shapes.
  func sayLayersOfEqualShapes(_ bound: BoundNetwork, to output: ReservedOutput) throws {
    let groups = bound.binding.layersToldByOrder(of: bound.network)
    guard !groups.isEmpty else { return }
    let lists = groups.map { group in
      group.dropLast().joined(separator: ", ") + " and " + (group.last ?? "")
    }
    try output.say(
      "  \(lists.joined(separator: "; ")) have equal shapes: only their order tells them apart, and no "
        + "weight file says whether a layer is skipped")
  }

  /// How the network's samples are taken to be prepared, and how good it then is.
  ///
  /// What stands in the way of measuring is said, and no error: it keeps no network from being written.
  func check(
    _ network: TrainedNetwork, recorded: RecordedAccuracy?, _ session: Session
  ) throws -> NetworkCheck {
    guard let dataset = network.dataset else { return NetworkCheck() }
    var check = NetworkCheck(lines: ["  \(try session.preparation(of: dataset).note)"])
    guard !skipsCheck else { return check }
    if let fault = network.weights.fault {
      check.lines.append("  not measured: \(fault.description.asOneLine)")
      return check
    }
    do {
      let samples = try session.data(dataset).samples(.test, in: session.locations)
      let metrics = try Runner(network.weights.network)
        .evaluate(network.weights, on: samples, workers: session.workers)
      guard metrics.crossEntropy.isFinite else {
        check.lines.append(
          "  not measured: the weights are so large that the network's outputs leave single "
            + "precision, and its loss is not finite")
        return check
      }
      check.metrics = metrics
      check.lines.append(
        "  test accuracy \(String(metrics.accuracy * 100, decimals: 2)) %, loss "
          + "\(String(metrics.crossEntropy, decimals: 4)) on \(samples.count) test samples like this: "
          + "compare with your own result")
      check.hint = recorded?.hint(
        file: input, metrics: metrics, samples: samples.count, of: dataset, session)
    } catch let error as OutputError {
      throw error
    } catch let error as any DescribedError {
      check.lines.append("  not measured: \(error.advice.asOneLine)")
    }
    return check
  }
}

/// What was found of a network before it is written.
struct NetworkCheck {
  /// What to say of it.
  var lines: [String] = []
  /// Its figures on the test samples, if it was measured.
  var metrics: Metrics?
  /// What to do if it is worse than its file says.
  var hint: String?

  /// The metadata with the figures, unless there are some, or the file says better ones: then the samples are
  /// probably prepared otherwise, and what the file says has to be found again.
  func recorded(in metadata: [String: JSONValue]) -> [String: JSONValue] {
    guard let metrics, hint == nil, metadata["metrics"] == nil else { return metadata }
    // To digits that no other machine or precision of products changes.
    func rounded(_ value: Double) -> JSONValue { JSONValue((value * 1e4).rounded() / 1e4) }
    return metadata.merging([
      "metrics": .object([
        "test_accuracy": rounded(metrics.accuracy), "test_loss": rounded(metrics.crossEntropy),
      ])
    ]) { own, _ in own }
  }

  /// Says it all.
  func say(to output: ReservedOutput) throws {
    for line in lines { try output.say(line) }
    if let hint { Console.printError(hint) }
  }
}
