// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Any shape to a vector, row by row; or only the axes from a number on to one axis.
public struct Flatten: NetworkOperation {
  /// `flatten`
  public static let name = "flatten"
  /// What it is.
  public static let summary =
    "any shape to a vector, row by row, or all axes from FIRST on to one axis"
  /// How it is written.
  public static let usage = "flatten [FIRST]"

  /// The first of a sample's axes that are joined, counted from 1.
  public var first: Int

  /// Flatten.
  public init(from first: Int = 1) {
    self.first = first
  }

  /// Nothing for the first axis on, or `2`
  public init(words: inout OperationWords) throws(OperationProblem) {
    first =
      words.isEmpty
      ? 1 : try words.integer("nothing or the number of an axis, from 1 on, after flatten")
  }

  /// The first axis, unless it is the sample's first.
  public var words: [String] { first == 1 ? [] : ["\(first)"] }

  /// `[values]`, or the sizes before the first axis and the product of the others.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard first == 1 || (1...max(1, inputs[0].rank)).contains(first) else {
      throw OperationProblem("needs an axis \(first), from 1 on, but gets \(inputs[0])")
    }
    let sizes = inputs[0].dimensions
    return Shape(sizes.prefix(first - 1) + [sizes.dropFirst(first - 1).reduce(1, *)])
  }

  /// Each channel becomes its positions, or passes where only these are joined.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation {
    first == 1 ? UnitRelation(.spread(over: inputs[0].rowCount)) : .oneByOne
  }

  /// Yes.
  public var keepsValues: Bool { true }

  /// Another shape for the same values.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { ReshapeKernel(before: inputs[0], behind: output) }
}

extension Layer {
  /// Any shape to a vector, row by row.
  public static let flatten = Layer(Flatten())
  /// The axes of a sample from one on, counted from 1, to one axis.
  public static func flatten(from first: Int) -> Layer { Layer(Flatten(from: first)) }
}

@section("lcw_plugins") @used
let flattenPlugin: PluginRecord = { $0.add(Flatten.self) }
