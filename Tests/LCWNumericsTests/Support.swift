// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// Normal values that are the same at every run.
func normal(_ shape: Shape, seed: UInt64 = 1, deviation: Float = 1) -> Tensor {
  var random = RandomStream(seed: seed)
  return random.normal(shape, deviation: deviation)
}

/// The distance of a float from the true value, in units of its last place.
func ulps(_ value: Float, from expected: Double) -> Double {
  let exact = Float(expected)
  if exact.isInfinite { return value == exact ? 0 : .infinity }
  return abs(Double(value) - expected) / Double(exact.ulp)
}

/// The largest distance of floats from the true values, relative to `scale` each.
func largestError(_ values: [Float], _ expected: [Double], scale: Double = 1) -> Double {
  guard values.count == expected.count else { return .infinity }
  // NaN compares false with everything, so it is made to count here.
  return zip(values, expected).reduce(0) {
    let error = abs(Double($1.0) - $1.1) / scale
    return error.isNaN ? .infinity : max($0, error)
  }
}

/// The first index at which arrays differ, their lengths included; nothing where they are equal.
///
/// For long arrays: an expectation of their equality takes minutes to describe how they differ.
func firstDifference(_ values: [Float], _ expected: [Float]) -> Int? {
  zip(values, expected).enumerated().first { $1.0 != $1.1 }?.offset
    ?? (values.count == expected.count ? nil : min(values.count, expected.count))
}

/// Counts around which loops for vectors and threads divide.
let counts = [1, 3, 16, 37, 1000, 100_003]
