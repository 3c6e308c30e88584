// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWPaths

/// How layers are adjusted by least squares, as the modifier's options of the same names say it.
struct AdjustmentArguments: ParsableArguments {
  @Option(help: "Ridge penalty on weight changes, relative to the features' mean square.")
  var ridge: Double = AdjustmentOptions().ridge

  @Option(help: "Number of training samples to adjust on; 0 for all.")
  var adjustOn: Int = 0

  @Option(help: "Positions per sample at which to take a convolution's patches; 0 for all.")
  var positions: Int = AdjustmentOptions().positions ?? 0

  @Option(help: "Patches per weight of a convolution filter; 0 for those of all samples.")
  var patches: Int = AdjustmentOptions().patches ?? 0

  func validate() throws {
    if !(0...1).contains(ridge) { throw ValidationError("--ridge takes a number from 0 to 1.") }
    for (name, value) in [("adjust-on", adjustOn), ("positions", positions), ("patches", patches)]
    where !(0...Int(Int32.max)).contains(value) {
      throw ValidationError("--\(name) takes 0 or a positive number.")
    }
  }

  var options: AdjustmentOptions {
    func limit(_ value: Int) -> Int? { value == 0 ? nil : value }
    return AdjustmentOptions(
      ridge: ridge, samples: limit(adjustOn), positions: limit(positions), patches: limit(patches))
  }
}
