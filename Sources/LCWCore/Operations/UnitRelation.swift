// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// What an operation does with the hidden units of its inputs: its relation of axes.
///
/// The units of a value are the indices of its first axis: the channels of `[channels, height, width]`, the
/// components of a vector. From the relations of all nodes follow the groups of units that may be permuted
/// together; see ``UnitGroup``.
public struct UnitRelation: Sendable, Hashable {
  /// Where the units of the output come from.
  public enum Output: Sendable, Hashable {
    /// Unit i of the output is made of unit i of every input: the inputs' units are tied to each other.
    case sameUnits
    /// The units of the inputs, one input behind the other.
    case sideBySide
    /// Each unit of the input becomes so many neighbouring units of the output.
    case spread(over: Int)
    /// Unit i of the input is unit i and so many more of the output. The output's other indices all have
    /// the same constant: channels of zeros before and behind the input's.
    case shifted(by: Int)
    /// They are new: every one may be made of every unit of the input.
    case new
    /// Nothing is known: what follows is fixed.
    case mixed
  }

  /// An axis of a parameter whose indices are units.
  public struct Axis: Sendable, Hashable {
    /// The parameter, counted among the operation's.
    public var parameter: Int
    /// The axis of the parameter.
    public var axis: Int
    /// Whose units they are.
    public var side: Side

    /// An axis.
    public init(parameter: Int, axis: Int, _ side: Side) {
      self.parameter = parameter
      self.axis = axis
      self.side = side
    }
  }

  /// Whose units an axis has.
  public enum Side: Sendable, Hashable {
    /// Those of an input.
    case input(Int)
    /// Those of the output.
    case output
  }

  /// Where the units of the output come from.
  public var output: Output
  /// The parameters' axes that belong to units.
  public var axes: [Axis]
  /// Into how many equal parts, one behind the other, the units are divided: only units of one part may
  /// change places. An axis on the input's side then has the indices of one part, for the output units of
  /// the same part: a grouped convolution's weights.
  public var parts: Int
  /// Whether a unit of the output also depends on other units than its own, though the order of these
  /// does not matter: layer normalisation, softmax.
  public var isCoupled: Bool

  /// A relation.
  public init(_ output: Output, axes: [Axis] = [], parts: Int = 1, isCoupled: Bool = false) {
    self.output = output
    self.axes = axes
    self.parts = parts
    self.isCoupled = isCoupled
  }

  /// Unit i of the output is made of unit i of every input, without parameters.
  public static let oneByOne = UnitRelation(.sameUnits)
  /// Nothing is known.
  public static let mixed = UnitRelation(.mixed)

  /// Unit i of the output is made of unit i of the input and of index i of each parameter.
  public static func oneByOne(parameters: Int, isCoupled: Bool = false) -> UnitRelation {
    UnitRelation(
      .sameUnits, axes: (0..<parameters).map { Axis(parameter: $0, axis: 0, .output) },
      isCoupled: isCoupled)
  }
}
