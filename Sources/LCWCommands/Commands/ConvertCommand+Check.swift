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

  /// Says how the network's samples are taken to be prepared, and how good it then is.
  ///
  /// The file is written by now; so what stands in the way of measuring is said, and no error.
  func sayCheck(
    of network: TrainedNetwork, recorded: RecordedAccuracy?, to output: ReservedOutput,
    _ session: Session
  ) throws {
    guard let dataset = network.dataset else { return }
    let preparation = try session.preparation(of: dataset)
    try output.say("  \(preparation.note)")
    guard !skipsCheck else { return }
    if let fault = network.weights.fault {
      try output.say("  not measured: \(fault.description.asOneLine)")
      return
    }
    do {
      let samples = try session.data(dataset).samples(.test, in: session.locations)
      let metrics = try Runner(network.weights.network)
        .evaluate(network.weights, on: samples, workers: session.workers)
      guard metrics.crossEntropy.isFinite else {
        try output.say(
          "  not measured: the weights are so large that the network's outputs leave single "
            + "precision, and its loss is not finite")
        return
      }
      try output.say(
        "  test accuracy \(String(metrics.accuracy * 100, decimals: 2)) %, loss "
          + "\(String(metrics.crossEntropy, decimals: 4)) on \(samples.count) test samples like this: "
          + "compare with your own result")
      if let hint = recorded?.hint(
        file: input, metrics: metrics, samples: samples.count, of: dataset, session)
      {
        Console.printError(hint)
      }
    } catch let error as OutputError {
      throw error
    } catch let error as any DescribedError {
      try output.say("  not measured: \(error.advice.asOneLine)")
    }
  }
}
