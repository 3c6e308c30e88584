// SPDX-License-Identifier: Apache-2.0
public import LCWCore

extension MethodTraits {
  /// The row of a method each of whose points is corrected by what samples show at it: a pass over them for a
  /// point, no formula any more, and a loss a degree lower.
  public var measuredAtEachPoint: MethodTraits {
    var traits = self
    traits.isExplicit = false
    traits.needsData = true
    if compute == .low { traits.compute = .medium }
    switch loss {
    case .high: traits.loss = .medium
    case .medium, .low: traits.loss = .low
    }
    return traits
  }
}
