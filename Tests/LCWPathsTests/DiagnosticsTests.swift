// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

struct DiagnosticsTests {
  private let samples: SampleSet
  private let ends: [Weights]

  init() throws {
    samples = try randomSamples(count: 400, shape: [6], classes: 4)
    let network = try denseNetwork([6, 20, 4])
    ends = try (1...2).map { try Weights(randomFor: network, seed: $0) }
  }

  private func probabilities(_ weights: Weights) throws -> [[Double]] {
    let logits = try Runner(weights.network).output(
      of: samples.block(0..<samples.count), weights: weights)
    return (0..<samples.count).map { row in
      let values = logits.row(row).map { exp(Double($0)) }
      return values.map { $0 / values.reduce(0, +) }
    }
  }

  private func answers(_ probabilities: [[Double]]) -> [Int] {
    probabilities.map { row in row.indices.max { row[$0] < row[$1] } ?? 0 }
  }

  @Test
  func `predictions are what a slow count finds`() throws {
    let path = try path("linear", ends[0], ends[1])
    let times = [0, 0.3, 0.5, 1]
    let found = try PathEvaluator(workers: Workers(2)).diagnose(path, at: times, on: samples)
    let all = try times.map { try probabilities(path.weights(at: $0)) }
    let given = all.map(answers)
    for (index, point) in found.points.enumerated() {
      #expect(point.t == times[index])
      let apart = { (end: Int) in
        Double(zip(given[index], given[end]).count { $0 != $1 }) / 400
      }
      #expect(abs(point.disagreementWithStart - apart(0)) < 0.01)
      #expect(abs(point.disagreementWithEnd - apart(3)) < 0.01)
      var error = 0.0
      for bin in 0..<15 {
        let members = all[index].indices.filter {
          min(14, Int((all[index][$0].max() ?? 0) * 15)) == bin
        }
        let right = members.count { given[index][$0] == Int(samples.labels[$0]) }
        let confidence = members.reduce(0) { $0 + (all[index][$1].max() ?? 0) }
        error += abs(Double(right) - confidence) / 400
      }
      #expect(abs(point.calibrationError - error) < 0.01)
    }
    #expect(found.points[0].disagreementWithStart == 0)
    #expect(found.points[3].disagreementWithEnd == 0)
    #expect(found.points[0].disagreementWithEnd > 0.2)
    var loss = 0.0
    for (row, label) in samples.labels.enumerated() {
      loss -= log(all.reduce(0) { $0 + $1[row][Int(label)] } / 4) / 400
    }
    #expect(abs(found.ensemble.crossEntropy - loss) < 1e-4)
  }

  @Test
  func `the barrier above the mean is the largest loss less the mean of the ends'`() throws {
    let evaluation = try PathEvaluator(workers: Workers(2)).evaluate(
      path("linear", ends[0], ends[1]), on: EvaluationData(train: samples, test: samples))
    let losses = evaluation.points.map(\.train.crossEntropy)
    let mean = (losses[0] + losses[losses.count - 1]) / 2
    #expect(abs(evaluation.train.barrierAboveMean - ((losses.max() ?? 0) - mean)) < 1e-12)
  }
}
