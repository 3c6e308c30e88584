// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// Random samples of a shape whose labels cycle through the classes.
func randomSamples(
  count: Int, shape: Shape, classes: Int, seed: UInt64 = 7
) throws -> SampleSet {
  var random = RandomStream(seed: seed)
  return try SampleSet(
    name: "random", sampleShape: shape, classes: classes,
    labels: (0..<count).map { Int32($0 % classes) },
    values: .floats(random.normal([count * shape.count]).elements))
}

/// Samples that a small network can learn: each class is noise around a direction of its own.
func learnableSamples(count: Int, width: Int, classes: Int, seed: UInt64 = 3) throws -> SampleSet {
  var random = RandomStream(seed: seed)
  let centers = random.normal([classes, width])
  var values: [Float] = []
  for index in 0..<count {
    let noise = random.normal([width], deviation: 0.5)
    values += zip(centers.row(index % classes), noise.elements).map { $0 + $1 }
  }
  return try SampleSet(
    name: "learnable", sampleShape: [width], classes: classes,
    labels: (0..<count).map { Int32($0 % classes) }, values: .floats(values))
}
