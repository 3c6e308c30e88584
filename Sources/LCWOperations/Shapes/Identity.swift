// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// What it reads.
public struct Identity: NetworkOperation {
  /// `identity`
  public static let name = "identity"
  /// What it is.
  public static let summary = "what it reads, unchanged"

  /// The identity.
  public init() {}
  /// No words.
  public init(words: inout OperationWords) {}
  /// No words.
  public var words: [String] { [] }

  /// The input's.
  public func outputShape(for inputs: [Shape]) -> Shape { inputs[0] }
  /// Units pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }
  /// Yes.
  public var keepsValues: Bool { true }

  /// The input.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { ReshapeKernel(before: inputs[0], behind: output) }
}

extension Layer {
  /// What it reads, unchanged.
  public static let identity = Layer(Identity())
}

@section("lcw_plugins") @used
let identityPlugin: PluginRecord = { $0.add(Identity.self) }
