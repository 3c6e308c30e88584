// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A network as a plain value: the shape of a sample and a chain of layers.
///
/// Everything else is generic over this description: running, training, which tensors belong to
/// which hidden unit, the paths. It holds no weights; ``Weights`` does.
///
/// ```swift
/// let network = try Network(
///   inputShape: [784], layers: [.dense(outputs: 2000, bias: true), .relu, .dense(outputs: 10, bias: true)])
/// network.parameters.map(\.name)
/// // ["dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias"]
/// ```
public struct Network: Sendable, Hashable, CustomStringConvertible {
  /// The shape of one sample.
  public let inputShape: Shape
  /// The chain, first to last.
  public let layers: [Layer]
  /// The shape of one sample before each layer, and behind the last.
  public let shapes: [Shape]
  /// The parameters, in the order of the layers; of a layer, weights before bias.
  public let parameters: [Parameter]
  /// The index of the first parameter of each layer, and behind the last the number of all.
  private let firstParameters: [Int]

  /// A network.
  /// - Throws: ``NetworkError/layer(index:description:problem:)`` if a layer can't follow the one
  ///   before it, or needs a tensor whose size does not fit an integer,
  ///   ``NetworkError/emptySample(_:)`` if a sample has no values,
  ///   ``NetworkError/tooManyLayers(_:)`` and ``NetworkError/tooLarge(values:)``.
  public init(inputShape: Shape, layers: [Layer]) throws(NetworkError) {
    guard inputShape.count > 0 else { throw .emptySample(inputShape) }
    guard layers.count <= Network.largestLayerCount else { throw .tooManyLayers(layers.count) }
    var shapes = [inputShape]
    var parameters: [Parameter] = []
    var firstParameters = [0]
    var numbers: [String: Int] = [:]
    var values = 0.0
    var sampleWork = 0.0
    for (index, layer) in layers.enumerated() {
      let input = shapes[index]
      do throws(LayerProblem) {
        shapes.append(try layer.outputShape(for: input))
        if let kind = layer.parameterPrefix {
          numbers[kind, default: 0] += 1
          let prefix = "\(kind)\(numbers[kind, default: 0])"
          parameters += try layer.parameters(input: input).map { role, shape in
            Parameter(name: "\(prefix).\(role.rawValue)", shape: shape, layer: index, role: role)
          }
        }
        let own = parameters[firstParameters[index]...]
        values += own.reduce(0) { $0 + Double($1.shape.count) }
        // Sums of counts, and of bytes, fit an integer below this.
        guard values < 0x1p58 else { throw LayerProblem("makes the network too large") }
        // Layers without multiplications go through their values all the same.
        sampleWork += max(
          layer.multiplyAdds(input: input, output: shapes[index + 1]),
          Double(shapes[index + 1].count))
        // So do products of this and a number of members or samples.
        guard sampleWork <= Network.largestSampleWork else {
          throw LayerProblem("makes more work for one sample than 2^42 multiplications")
        }
      } catch {
        throw .layer(index: index, description: "\(layer)", problem: error.sentence)
      }
      firstParameters.append(parameters.count)
    }
    guard values <= Double(Network.largestParameterCount) else { throw .tooLarge(values: values) }
    self.inputShape = inputShape
    self.layers = layers
    self.shapes = shapes
    self.parameters = parameters
    self.firstParameters = firstParameters
  }

  /// The most values a network's parameters may have: 32 GB in single precision.
  public static let largestParameterCount = 1 << 33

  /// The most layers a network may have.
  public static let largestLayerCount = 8192

  /// The most multiplications with additions, or values in windows, of one sample.
  public static let largestSampleWork = 0x1p42

  /// The shape of one sample's output.
  public var outputShape: Shape { shapes[layers.count] }

  /// The indices of the dense and convolutional layers.
  public var weightedLayers: [Int] { layers.indices.filter { layers[$0].isWeighted } }

  /// The indices into ``parameters`` of a layer's parameters.
  public func parameterIndices(ofLayer layer: Int) -> [Int] {
    layers.indices.contains(layer)
      ? Array(firstParameters[layer]..<firstParameters[layer + 1]) : []
  }

  /// The index into ``parameters`` of a layer's parameter of a role, if it has one.
  public func parameterIndex(ofLayer layer: Int, role: Parameter.Role) -> Int? {
    parameterIndices(ofLayer: layer).first { parameters[$0].role == role }
  }

  /// The number of values in all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.count } }

  /// The multiplications with additions of a weighted layer for one sample, or the values that a
  /// pooling layer's windows have of it; none for other layers.
  public func multiplyAdds(ofLayer layer: Int) -> Int {
    // At most 2^42, so that it fits an integer and is exact.
    Int(layers[layer].multiplyAdds(input: shapes[layer], output: shapes[layer + 1]))
  }

  /// The most values of one sample before and behind a layer.
  public var widestSample: Int { shapes.reduce(0) { max($0, $1.count) } }

  /// The most values of the windows, with all their channels, that lie beside each other in one image
  /// of a convolution: what it has in memory at least.
  public var widestPatchRow: Int {
    layers.indices.reduce(0) { widest, layer in
      guard case .convolution(let convolution) = layers[layer] else { return widest }
      // Less than the layer's multiplications, so that the product fits an integer.
      let patch = shapes[layer][0] * convolution.kernel[0] * convolution.kernel[1]
      return max(widest, shapes[layer + 1][2] * patch)
    }
  }

  /// The work of all layers for one sample: their multiplications with additions, the values in the
  /// windows of pooling layers, and the values that other layers go through.
  public var sampleWork: Int {
    layers.indices.reduce(0) { $0 + max(multiplyAdds(ofLayer: $1), shapes[$1 + 1].count) }
  }

  /// The layers as text: `flatten; dense 2000; relu; dense 10`.
  public var description: String { layers.map(\.description).joined(separator: "; ") }
}

/// A tensor of a network that training changes or that it keeps.
public struct Parameter: Sendable, Hashable {
  /// What a parameter is to its layer. The raw value is its name's last part.
  public enum Role: String, Sendable {
    /// The weights, `[outputs, inputs]` or `[filters, channels, height, width]`.
    case weight
    /// The bias, `[outputs]`.
    case bias
    /// A batch normalisation's scale.
    case scale
    /// A batch normalisation's shift.
    case shift
    /// A batch normalisation's running mean.
    case mean
    /// A batch normalisation's running variance.
    case variance

    /// Whether training moves the parameter along a gradient.
    public var isTrained: Bool { self != .mean && self != .variance }
  }

  /// The name, such as `dense1.weight`.
  public let name: String
  /// The shape.
  public let shape: Shape
  /// The index of the layer it belongs to.
  public let layer: Int
  /// What it is to the layer.
  public let role: Role

  /// The layer's name, such as `dense1`.
  public var layerName: String { String(name.prefix { $0 != "." }) }
}

extension Layer {
  fileprivate var parameterPrefix: String? {
    switch self {
    case .dense: "dense"
    case .convolution: "conv"
    case .batchNorm: "norm"
    case .relu, .tanh, .maxPool, .averagePool, .flatten, .dropout: nil
    }
  }

  fileprivate func parameters(
    input: Shape
  ) throws(LayerProblem) -> [(Parameter.Role, Shape)] {
    switch self {
    case .dense(let outputs, let bias):
      let weight = try Layer.shape([outputs, input.count])
      return [(.weight, weight)] + (bias ? [(.bias, [outputs])] : [])
    case .convolution(let c):
      let weight = try Layer.shape([c.filters, input[0], c.kernel[0], c.kernel[1]])
      return [(.weight, weight)] + (c.bias ? [(.bias, [c.filters])] : [])
    case .batchNorm:
      let roles: [Parameter.Role] = [.scale, .shift, .mean, .variance]
      return roles.map { ($0, [input[0]]) }
    case .relu, .tanh, .maxPool, .averagePool, .flatten, .dropout: return []
    }
  }
}

/// What can be wrong with a network or its weights.
public enum NetworkError: DescribedError, Hashable {
  /// A layer can't follow the one before it.
  case layer(index: Int, description: String, problem: String)
  /// The parameters have more values than are handled.
  case tooLarge(values: Double)
  /// There are more layers than are handled.
  case tooManyLayers(Int)
  /// A sample of the shape has no values.
  case emptySample(Shape)
  /// There are more or fewer tensors than parameters.
  case tensorCount(expected: Int, found: Int)
  /// A parameter's tensor has another shape.
  case shape(parameter: String, expected: Shape, found: Shape)
  /// Two networks that should be alike are not.
  case mismatch(String, String)

  /// Wrong data, but for a chain that can't be.
  public var category: ErrorCategory {
    switch self {
    case .layer, .tooLarge, .tooManyLayers, .emptySample: .usage
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
