// SPDX-License-Identifier: Apache-2.0
import LCWCore

extension Session {
  /// Says of networks with batch normalisation that their running statistics are right for end points alone,
  /// if one of the methods leaves them so, and what measures or removes them.
  func warnOfRunningMoments(
    _ weights: Weights, in file: String, joinedBy methods: [MethodExpression]
  ) throws {
    let network = weights.network
    let running = network.runningAverages
    guard let first = running.first else { return }
    let plain = try methods.filter { try registry.connection($0).leavesRunningStatistics }
    guard let method = plain.first else { return }
    let modifiers = registry.momentModifiers.map { "\(method)+\($0)" }
    // Where it can't be folded, that is no way out.
    let folds = (try? weights.foldingBatchNorm()) != nil
    let ways =
      (modifiers.isEmpty
        ? [] : ["\(modifiers.joined(separator: " or ")) recomputes them along the path"])
      + (folds ? ["lcw convert --fold-batchnorm folds them into the weights"] : [])
    let others = running.count == 1 ? "" : " and \(running.count - 1) more"
    Console.printError(
      "warning: \(file) has running statistics (\(network.nodes[first].name)\(others)), right "
        + "only at the ends of a path; \(plain.map { "\($0)" }.joined(separator: ", ")) \(plain.count == 1 ? "moves" : "move") "
        + "them like weights" + (ways.isEmpty ? "" : "; " + ways.joined(separator: ", and ")))
  }
}
