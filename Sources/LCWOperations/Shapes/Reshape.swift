// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Another shape for the same values, row by row.
public struct Reshape: NetworkOperation {
  /// `reshape`
  public static let name = "reshape"
  /// What it is.
  public static let summary = "another shape for the same values"
  /// How it is written.
  public static let usage = "reshape SIZExSIZE…"
  /// The most sizes that a shape may have.
  public static let largestRank = 8

  /// The sizes of a sample behind it.
  public var sizes: [Int]

  /// The shape behind it.
  public init(_ sizes: [Int]) {
    self.sizes = sizes
  }

  /// `8x1x1`
  public init(words: inout OperationWords) throws(OperationProblem) {
    let expected = "1 to \(Reshape.largestRank) sizes such as 8x1x1 after reshape"
    var sizes: [Int] = []
    for part in (words.next() ?? "").split(separator: "x", omittingEmptySubsequences: false) {
      guard let size = Int(part), (1...Int(Int32.max)).contains(size) else {
        throw OperationProblem(expected)
      }
      sizes.append(size)
    }
    guard (1...Reshape.largestRank).contains(sizes.count) else { throw OperationProblem(expected) }
    self.sizes = sizes
  }

  /// The sizes.
  public var words: [String] { [sizes.map(String.init).joined(separator: "x")] }

  /// The sizes.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard (1...Reshape.largestRank).contains(sizes.count) else {
      throw OperationProblem("needs 1 to \(Reshape.largestRank) sizes")
    }
    let shape = try Shape(chosen: sizes)
    guard shape.count == inputs[0].count else {
      throw OperationProblem("gets \(inputs[0]), which has not as many values as \(shape)")
    }
    return shape
  }

  /// Units pass where the first size stays; where it is a multiple, each becomes several neighbours. What
  /// divides the first size otherwise mixes them.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation {
    let (before, behind) = (inputs[0].rows, output.rows)
    guard behind % before == 0 else { return .mixed }
    return behind == before ? .oneByOne : UnitRelation(.spread(over: behind / before))
  }

  /// Yes.
  public var keepsValues: Bool { true }

  /// Another shape for the same values.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { ReshapeKernel(before: inputs[0], behind: output) }
}

extension Layer {
  /// Another shape for the same values.
  public static func reshape(_ sizes: [Int]) -> Layer { Layer(Reshape(sizes)) }
}

@section("lcw_plugins") @used
let reshapePlugin: PluginRecord = { $0.add(Reshape.self) }
