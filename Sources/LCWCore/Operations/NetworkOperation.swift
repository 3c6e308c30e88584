// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// What one node of a network does, as a plain value: its text, its shapes, its parameters, how it
/// treats hidden units, and how it runs.
///
/// Operations are an open set. A new one is a type that conforms, one file, and one line that registers
/// it; nothing else in the package asks which operation a node has.
///
/// ```swift
/// public struct Doubling: NetworkOperation {
///   public static let name = "double"
///   public static let summary = "twice its input"
///   public init(words: inout OperationWords) {}
///   public var words: [String] { [] }
///   public func outputShape(for inputs: [Shape]) -> Shape { inputs[0] }
///   public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }
///   public func kernel(inputs: [Shape], output: Shape, fusing: FusedActivation?) -> any OperationKernel {
///     DoublingKernel()
///   }
/// }
///
/// @section("lcw_plugins") @used
/// let doubling: PluginRecord = { $0.add(Doubling.self) }
/// ```
///
/// Laws, which `OperationConformance` checks: the text means the operation again; gradients are right; a
/// sample's output does not depend on the others in its block (in evaluation); and ``units(inputs:output:)``
/// tells the truth.
public protocol NetworkOperation: Plugin, Hashable, CustomStringConvertible {
  /// How it is written, for messages and lists: `conv FILTERS HxW [stride S] [pad P] [no-bias]`.
  static var usage: String { get }
  /// What nodes of this operation are called, with a number behind: `conv` for `conv1`.
  static var nodeName: String { get }
  /// How many values it reads; one unless it says otherwise.
  static var inputCount: ClosedRange<Int> { get }

  /// The operation that words mean: those behind its name.
  ///
  /// Words that are left over are an error that the caller tells of.
  ///
  /// - Throws: ``OperationProblem`` that says what was expected.
  init(words: inout OperationWords) throws(OperationProblem)
  /// The words that mean this operation, behind its name; no default is written out.
  var words: [String] { get }

  /// The shape of one sample's output.
  /// - Parameter inputs: The shapes of one sample's inputs, as many as ``inputCount`` allows.
  /// - Throws: ``OperationProblem`` that says what the operation needs.
  func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape

  /// The parameters, in the order of their tensors; none unless it says otherwise.
  /// - Throws: ``OperationProblem`` if a shape does not fit an integer.
  func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription]

  /// What happens to hidden units; they are mixed unless it says otherwise.
  func units(inputs: [Shape], output: Shape) -> UnitRelation

  /// The multiplications with additions for one sample, or the values that windows see; none by default.
  ///
  /// In double precision, since what a text asks for may be beyond all integers.
  func multiplyAdds(inputs: [Shape], output: Shape) -> Double

  /// The values that running has in memory at least, beside inputs and outputs; none by default.
  func workspace(inputs: [Shape], output: Shape) -> Double

  /// What another operation can do in the same pass over memory, if it is the only reader.
  var fusedActivation: FusedActivation? { get }

  /// Whether ``kernel(inputs:output:fusing:)`` takes over an activation; not by default.
  func fuses(_ activation: FusedActivation) -> Bool

  /// How it runs.
  /// - Parameter fusing: An activation to apply to the output, if ``fuses(_:)`` it.
  func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel

  /// Whether the output, in evaluation, has the input's values in their order: flatten, dropout.
  var keepsValues: Bool { get }

  /// Whether training needs two samples or more in a batch; not by default.
  func needsSeveralSamples(inputs: [Shape]) -> Bool

  /// What a parameter is called in the last part of other programs' names, such as `running_mean`; its
  /// role's usual names by default.
  func foreignNames(of role: Parameter.Role) -> [String]
}

extension NetworkOperation {
  /// The name alone.
  public static var usage: String { name }
  /// The name without hyphens.
  public static var nodeName: String { name.filter { $0 != "-" } }
  /// One.
  public static var inputCount: ClosedRange<Int> { 1...1 }
  /// No parameters.
  public func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    []
  }
  /// Units are mixed.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .mixed }
  /// None.
  public func multiplyAdds(inputs: [Shape], output: Shape) -> Double { 0 }
  /// None.
  public func workspace(inputs: [Shape], output: Shape) -> Double { 0 }
  /// Nothing.
  public var fusedActivation: FusedActivation? { nil }
  /// No.
  public func fuses(_ activation: FusedActivation) -> Bool { false }
  /// No.
  public var keepsValues: Bool { false }
  /// No.
  public func needsSeveralSamples(inputs: [Shape]) -> Bool { false }
  /// The role's usual names.
  public func foreignNames(of role: Parameter.Role) -> [String] { role.usualNames }

  /// The operation without words behind its name.
  public init(options: OptionValues) throws {
    var words = OperationWords([])
    do throws(OperationProblem) {
      self = try Self(words: &words)
    } catch {
      throw PluginError.malformedOperation(Self.name, reason: error.sentence)
    }
  }

  /// The operation as text, such as `conv 32 5x5 pad 2`.
  public var text: String { ([Self.name] + words).joined(separator: " ") }

  /// The operation as text.
  public var description: String { text }

  /// Whether another operation is of this type and equal.
  func isEqual(to other: any NetworkOperation) -> Bool { (other as? Self) == self }
}

/// An activation that another operation can apply to its own output.
public enum FusedActivation: Sendable, Hashable {
  /// max(x, 0).
  case rectifier
}

/// What an operation can't do, as a sentence without a subject.
public struct OperationProblem: Error, Hashable {
  /// Such as `needs a vector but gets [3, 32, 32]`.
  public var sentence: String

  /// A problem.
  public init(_ sentence: String) {
    self.sentence = sentence
  }
}

extension Shape {
  /// A shape of sizes that a user may have chosen.
  /// - Throws: ``OperationProblem`` if they are too large.
  public init(chosen sizes: [Int]) throws(OperationProblem) {
    do { self = try Shape(checking: sizes) } catch {
      throw OperationProblem("needs a tensor \(sizes), which is too large")
    }
  }
}
