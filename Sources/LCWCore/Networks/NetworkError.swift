// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// What can be wrong with a network or its weights.
public enum NetworkError: DescribedError, Hashable {
  /// A layer can't follow what it reads.
  case layer(index: Int, description: String, problem: String)
  /// The parameters have more values than are handled.
  case tooLarge(values: Double)
  /// There are more layers than are handled.
  case tooManyLayers(Int)
  /// The layers read more values than are handled.
  case tooManyInputs(Int)
  /// A sample of the shape has no values.
  case emptySample(Shape)
  /// There are more or fewer tensors than parameters.
  case tensorCount(expected: Int, found: Int)
  /// A parameter's tensor has another shape.
  case shape(parameter: String, expected: Shape, found: Shape)
  /// Two networks that should be alike are not.
  case mismatch(String, String)

  /// Wrong data, but for a network that can't be.
  public var category: ErrorCategory {
    switch self {
    case .layer, .tooLarge, .tooManyLayers, .tooManyInputs, .emptySample: .usage
    case .tensorCount, .shape, .mismatch: .data
    }
  }

  /// One line that says what was expected and what was found.
  public var description: String {
    switch self {
    case .layer(let index, let description, let problem):
      "layer \(index + 1) (\(description)) \(problem)"
    case .tooLarge(let values):
      "the network has \(Int(min(values, 9e18))) weights, more than the \(Network.largestParameterCount) that are "
        + "handled"
    case .tooManyLayers(let count):
      "the network has \(count) layers, more than the \(Network.largestLayerCount) that are handled"
    case .tooManyInputs(let count):
      "the network's layers read \(count) values, more than the \(Network.largestInputCount) that are "
        + "handled"
    case .emptySample(let shape):
      "a sample \(shape) has no values; every size has to be 1 or more"
    case .tensorCount(let expected, let found):
      "the network has \(expected) parameters, but \(found) tensors were given"
    case .shape(let parameter, let expected, let found):
      "\(parameter) should be \(expected) but is \(found)"
    case .mismatch(let first, let second):
      "the networks differ, and only networks of one architecture can be joined: "
        + "‘\(first)’ and ‘\(second)’"
    }
  }
}
