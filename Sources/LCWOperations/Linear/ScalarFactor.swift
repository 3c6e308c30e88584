// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// One learned number that multiplies all values: a residual branch's gain (Bachlechner et al. 2021).
public struct ScalarFactor: NetworkOperation {
  /// `scalar`
  public static let name = "scalar"
  /// What it is.
  public static let summary = "one learned number that multiplies all values"

  /// The multiplication.
  public init() {}
  /// No words.
  public init(words: inout OperationWords) {}
  /// No words.
  public var words: [String] { [] }

  /// The input's.
  public func outputShape(for inputs: [Shape]) -> Shape { inputs[0] }

  /// The factor, `[1]`.
  public func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    [ParameterDescription(.factor, [1], initial: .constant(1))]
  }

  /// Units pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// What modules with one learned number call it.
  public func foreignNames(of role: Parameter.Role) -> [String] {
    role == .factor ? ["factor", "weight", "scale", "gamma", "alpha", "gain"] : [role.rawValue]
  }

  /// A multiplication.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { ScalarFactorKernel() }
}

extension Parameter.Role {
  /// A number that multiplies all values.
  static let factor = Parameter.Role(rawValue: "factor")
}

extension Layer {
  /// One learned number that multiplies all values.
  public static let scalar = Layer(ScalarFactor())
}

@section("lcw_plugins") @used
let scalarFactorPlugin: PluginRecord = { $0.add(ScalarFactor.self) }

/// A block times a number.
struct ScalarFactorKernel: UnaryKernel {
  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    input.multiply(by: parameters[0].elements[0], workers: workers)
    return input
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    let saved = copy input
    return (output(of: input, parameters: parameters, workers: pass.workers), [saved])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    let factor = Float(gradient.dot(record[0], workers: pass.workers))
    gradients[0].assign(1, times: Tensor([factor]), plus: pass.carry)
    guard needsInput else { return nil }
    gradient.multiply(by: parameters[0].elements[0], workers: pass.workers)
    return gradient
  }
}
