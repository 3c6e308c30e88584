// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

extension Transformation {
  /// Everything but the design, as tensors with names: `reflections` if there are principal axes,
  /// `mean` and `deviation` of the coordinates behind them, and of the k-th layer, counted from 1,
  /// `layerK/hiddenJ.weight`, `layerK/hiddenJ.bias`, `layerK/scale.weight`, … as whole matrices;
  /// Formats/LCW/SPEC.md lays them out.
  public var namedTensors: [NamedTensor] {
    var result = [
      NamedTensor("mean", StoredTensor(Tensor(standardisation.mean))),
      NamedTensor("deviation", StoredTensor(Tensor(standardisation.deviation))),
    ]
    if let reflections = standardisation.reflections {
      result.append(NamedTensor("reflections", StoredTensor(reflections.vectors)))
    }
    for (index, place) in places.enumerated() {
      for (name, tensor) in layers[index].namedTensors(Array(parameters[place])) {
        result.append(NamedTensor("layer\(index + 1)/\(name)", StoredTensor(tensor)))
      }
    }
    return result
  }

  /// A transformation from what ``namedTensors`` gave.
  ///
  /// - Parameters:
  ///   - design: The design.
  ///   - tensor: The tensor of a name.
  /// - Throws: ``FlowError/design(option:expected:found:)`` if the design can't be,
  ///   ``NetworkError/shape(parameter:expected:found:)`` if a tensor does not fit it,
  ///   ``FlowError/notFinite(rows:)``, `CheckpointError.passedThrough` for a type that is not computed
  ///   with, and what `tensor` throws.
  public init(
    _ design: TransformationDesign, tensor: (String) throws -> StoredTensor
  ) throws {
    try design.check()
    func checked(_ name: String, _ shape: Shape) throws -> Tensor {
      let stored = try tensor(name)
      guard !stored.elementType.isPassedThrough else {
        throw CheckpointError.passedThrough(tensor: name, type: stored.elementType)
      }
      let found = stored.floats
      guard found.shape == shape else {
        throw NetworkError.shape(parameter: name, expected: shape, found: found.shape)
      }
      guard found.isFinite else { throw FlowError.notFinite(rows: "the model's tensor \(name)") }
      return found
    }
    let mean = try checked("mean", [design.dimension]).elements
    let deviation = try checked("deviation", [design.dimension]).elements
    guard deviation.allSatisfy({ $0 > 0 }) else {
      throw FlowError.design(option: "deviations", expected: "positive", found: "0 or less")
    }
    var reflections: Reflections?
    if design.axes > 0 {
      let vectors = try checked("reflections", [design.axes, design.incoming])
      guard (0..<design.axes).allSatisfy({ vectors.row($0).contains { $0 != 0 } }) else {
        throw FlowError.design(option: "reflections", expected: "not zero", found: "a zero")
      }
      reflections = Reflections(vectors: vectors)
    }
    // Each layer's tensors are read before the next is made, so that a design that its file does not
    // bear out takes no memory.
    var parameters: [Tensor] = []
    for index in 0..<design.layerCount {
      parameters += try design.makeLayer(index).parameters {
        try checked("layer\(index + 1)/\($0)", $1)
      }
    }
    self.init(
      design,
      Standardisation(
        mean: mean, deviation: deviation, order: design.order, reflections: reflections),
      parameters: parameters)
  }
}

extension TransformationDesign {
  /// The design as metadata.
  public var json: JSONValue {
    var object: [String: JSONValue] = [
      "bound": JSONValue(bound), "depth": .integer(depth),
      "dimension": .integer(dimension),
      "hidden": .integer(hidden), "kind": .string(kind.rawValue), "layers": .integer(layers),
      "normalise": .string(normalisation.rawValue),
    ]
    if axes > 0 {
      object["axes"] = .integer(axes)
      object["incoming"] = .integer(incoming)
    }
    return .object(object)
  }

  /// A design from what ``json`` gave.
  /// - Throws: ``CheckpointError/metadata(field:expected:)``.
  public init(json: JSONValue?) throws(CheckpointError) {
    func field<Value>(
      _ name: String, _ expected: String, _ value: (JSONValue) -> Value?
    ) throws(CheckpointError) -> Value {
      guard let found = json?.object?[name].flatMap(value) else {
        throw .metadata(field: "design/\(name)", expected: expected)
      }
      return found
    }
    let hasAxes = json?.object?["axes"] != nil
    self.init(
      kind: try field("kind", TransformationKind.typeName) {
        $0.string.flatMap(TransformationKind.init(rawValue:))
      },
      dimension: try field("dimension", "an integer") { $0.integer },
      layers: try field("layers", "an integer") { $0.integer },
      hidden: try field("hidden", "an integer") { $0.integer },
      depth: try field("depth", "an integer") { $0.integer },
      normalisation: try field("normalise", TransformationNormalisation.typeName) {
        $0.string.flatMap(TransformationNormalisation.init(rawValue:))
      },
      bound: try field("bound", "a number") { $0.double },
      axes: hasAxes ? try field("axes", "an integer") { $0.integer } : 0,
      incoming: hasAxes ? try field("incoming", "an integer") { $0.integer } : 0)
  }
}
