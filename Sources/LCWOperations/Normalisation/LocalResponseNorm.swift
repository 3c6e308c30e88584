// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Divides each value by a power of the squares in neighbouring channels (Krizhevsky, Sutskever and Hinton
/// 2012): x / (k + alpha / size · Σ x²)^beta over `size` channels, half of them, rounded down, before it.
public struct LocalResponseNorm: NetworkOperation {
  /// `lrn`
  public static let name = "lrn"
  /// What it is.
  public static let summary =
    "divides each value by a power of the squares in neighbouring channels"
  /// How it is written.
  public static let usage = "lrn SIZE [alpha A] [beta B] [k K]"

  /// The channels that a value is divided by.
  public var size: Int
  /// The factor of the mean of squares.
  public var alpha: Double
  /// The exponent.
  public var beta: Double
  /// What is added to the mean of squares.
  public var k: Double

  /// The normalisation.
  /// - Parameters:
  ///   - size: The channels that a value is divided by.
  ///   - alpha: The factor of the mean of squares.
  ///   - beta: The exponent.
  ///   - k: What is added to the mean of squares.
  public init(size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) {
    self.size = size
    self.alpha = alpha
    self.beta = beta
    self.k = k
  }

  /// `5`, `5 alpha 0.0001 beta 0.75 k 2`
  public init(words: inout OperationWords) throws(OperationProblem) {
    var result = LocalResponseNorm(size: try words.integer("a number of channels after lrn"))
    try words.clauses(["alpha", "beta", "k"]) { (key, words) throws(OperationProblem) in
      switch key {
      case "alpha":
        result.alpha = try words.number("a number from 0 on after alpha", in: Self.factors)
      case "beta":
        result.beta = try words.number("a number from 0 to 16 after beta", in: Self.exponents)
      default: result.k = try words.number("a number above 0 after k", in: Self.summands)
      }
    }
    self = result
  }

  private static let factors = 0...ClosedRange.singlePrecision.upperBound
  private static let exponents = 0.0...16
  private static let summands =
    Double(Float.leastNormalMagnitude)...ClosedRange.singlePrecision.upperBound

  /// The size, and what differs from 1e-4, 0.75 and 1.
  public var words: [String] {
    var words = ["\(size)"]
    if alpha != 1e-4 { words += ["alpha", "\(alpha)"] }
    if beta != 0.75 { words += ["beta", "\(beta)"] }
    if k != 1 { words += ["k", "\(k)"] }
    return words
  }

  /// The input's.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard inputs[0].rank > 0 else { throw OperationProblem("needs channels but gets one number") }
    guard (1...Int(Int32.max)).contains(size), Self.factors.contains(alpha),
      Self.exponents.contains(beta), Self.summands.contains(k)
    else {
      throw OperationProblem(
        "needs a size from 1 on, an alpha from 0 on, a beta from 0 to 16 and a k above 0")
    }
    return inputs[0]
  }

  /// What a unit becomes depends on its neighbours, so that none may move.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation {
    size == 1 ? .oneByOne : .mixed
  }

  /// The values in the windows.
  public func multiplyAdds(inputs: [Shape], output: Shape) -> Double {
    Double(output.count) * Double(min(size, inputs[0][0]))
  }

  /// Windows of channels.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    LocalResponseKernel(
      normalisation: LocalResponseNormalisation(
        over: inputs[0], size: size, alpha: Float(alpha), beta: Float(beta), k: Float(k)))
  }
}

extension Layer {
  /// Divides each value by a power of the squares in `size` neighbouring channels.
  public static func localResponseNorm(
    size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1
  ) -> Layer {
    Layer(LocalResponseNorm(size: size, alpha: alpha, beta: beta, k: k))
  }
}

@section("lcw_plugins") @used
let localResponseNormPlugin: PluginRecord = { $0.add(LocalResponseNorm.self) }

/// A normalisation by neighbouring channels.
struct LocalResponseKernel: UnaryKernel {
  var normalisation: LocalResponseNormalisation

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    normalisation.output(of: input, workers: workers).output
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    let (output, sums) = normalisation.output(of: input, workers: pass.workers)
    return (output, [input, sums])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    guard needsInput else { return nil }
    return normalisation.backward(
      gradient, block: record[0], sums: record[1], workers: pass.workers)
  }
}
