// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWPaths

/// How layers are adjusted by least squares, as the modifier's options of the same names say it.
struct AdjustmentArguments: ParsableArguments {
  @Option(help: "The penalty on changed weights, as a share of the features' mean square.")
  var ridge: Double = AdjustmentOptions().ridge

  @Option(help: "The training samples to adjust on, 0 for all.")
  var adjustOn: Int = 0

  @Option(help: "The positions of a sample that a convolution's patches are taken at, 0 for all.")
  var positions: Int = AdjustmentOptions().positions ?? 0

  @Option(help: "The patches for each value of a convolution's patch, 0 for those of all samples.")
  var patches: Int = AdjustmentOptions().patches ?? 0

  func validate() throws {
    if !(0...1).contains(ridge) { throw ValidationError("--ridge takes a number from 0 to 1.") }
    for (name, value) in [("adjust-on", adjustOn), ("positions", positions), ("patches", patches)]
    where !(0...Int(Int32.max)).contains(value) {
      throw ValidationError("--\(name) takes a number from 0 on.")
    }
  }

  var options: AdjustmentOptions {
    func limit(_ value: Int) -> Int? { value == 0 ? nil : value }
    return AdjustmentOptions(
      ridge: ridge, samples: limit(adjustOn), positions: limit(positions), patches: limit(patches))
  }
}
