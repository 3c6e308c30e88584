// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

extension OperationCase {
  /// A network around the operation: layers of random weights write its inputs and read its output.
  private func network() throws(NetworkError) -> Network {
    let writers = inputs.enumerated().map { index, shape in
      Network.NodeDescription(
        Layer(ShapedLinear(output: shape)), name: "writer\(index)", reading: [.sample])
    }
    return try Network(
      inputShape: [7],
      nodes: writers + [
        Network.NodeDescription(
          Layer(operation), name: "tried",
          reading: inputs.indices.map { .output(ofNode: $0) }),
        Network.NodeDescription(Layer(ShapedLinear(output: [5])), name: "reader"),
      ])
  }

  /// Permutes the groups of units that follow from the relation, each by itself and all together.
  func unrelated() -> String? {
    do {
      let network = try network()
      let tried = inputs.count
      let relation = operation.units(inputs: inputs, output: output)
      let groups = UnitGroups(of: network)
      if relation.output != .mixed,
        groups.all.contains(where: { $0.holds.contains(.node(tried)) })
      {
        return "the relation \(relation) does not fit the shapes"
      }
      var weights = try Weights(randomFor: network, seed: 8)
      for (index, tensor) in zip(network.parameterIndices(ofLayer: tried), parameterValues()) {
        weights[index] = tensor
      }
      let runner = try Runner(network)
      var random = RandomStream(seed: 41)
      let block = random.normal([6, 7])
      let expected = runner.output(of: block, weights: weights)
      // A permutation may leave what is wrong alone, three hardly do.
      for _ in 0..<3 {
        var all = weights
        for group in groups.free {
          let order = random.permutation(of: group.count)
          all = all.permuting(group, by: order)
          let found = runner.output(of: block, weights: weights.permuting(group, by: order))
          if !Self.areNear(found, expected, within: 2e-5) {
            return
              "a permutation of units changes the output, though the relation \(relation) lets them "
              + "change places"
          }
        }
        if !Self.areNear(runner.output(of: block, weights: all), expected, within: 2e-5) {
          return "a permutation of all groups of units changes the output"
        }
      }
      return nil
    } catch {
      return "no network can have it: \(error)"
    }
  }

  /// Changes one unit of the inputs and looks at the others of the output.
  func untoldCoupling() -> String? {
    let relation = operation.units(inputs: inputs, output: output)
    guard !relation.isCoupled else { return nil }
    let whole = blocks(seed: 1)
    let others = blocks(seed: 2)
    let expected = output(of: whole)
    var start = 0
    for input in inputs.indices {
      let units = inputs[input].rows
      for unit in Set([0, units / 2, units - 1]) {
        // Where units of several inputs are tied, that of each is changed.
        let changedInputs: [Int]
        let own: Range<Int>
        switch relation.output {
        case .sameUnits: (changedInputs, own) = (Array(inputs.indices), unit..<unit + 1)
        case .sideBySide: (changedInputs, own) = ([input], start + unit..<start + unit + 1)
        case .spread(let width):
          (changedInputs, own) = ([input], unit * width..<(unit + 1) * width)
        case .shifted(let shift): (changedInputs, own) = ([input], shift + unit..<shift + unit + 1)
        case .new, .mixed: return nil
        }
        var changed = whole
        for index in changedInputs { changed[index].copyUnit(unit, from: others[index]) }
        let found = output(of: changed)
        for other in 0..<output.rows where !own.contains(other) {
          guard
            Self.areNear(
              found.values(ofUnit: other)[...], expected.values(ofUnit: other)[...], within: 1e-6)
          else {
            return
              "unit \(other) of the output depends on unit \(unit) of an input, though units are said "
              + "to be apart"
          }
        }
      }
      start += units
    }
    return nil
  }
}

extension Tensor {
  /// The values of one unit in all samples of a block.
  fileprivate func values(ofUnit unit: Int) -> [Float] {
    let each = shape.rowCount / shape[1]
    return (0..<shape.rows).flatMap { sample in
      let first = sample * shape.rowCount + unit * each
      return Array(elements[first..<first + each])
    }
  }

  /// Takes the values of one unit from another block.
  fileprivate mutating func copyUnit(_ unit: Int, from other: Tensor) {
    let each = shape.rowCount / shape[1]
    for sample in 0..<shape.rows {
      let first = sample * shape.rowCount + unit * each
      elements.replaceSubrange(first..<first + each, with: other.elements[first..<first + each])
    }
  }
}

/// All values of the output from all of the input: what writes and reads units of any shape.
///
/// Its weights are `[units, values of each, units of the input, values of each]`.
struct ShapedLinear: NetworkOperation {
  static let name = "shaped-linear"
  static let summary = "all values of one shape from all of another"
  let output: Shape

  init(output: Shape) { self.output = output }

  init(words: inout OperationWords) throws(OperationProblem) {
    output = try Shape(chosen: [try words.integer("a number of outputs")])
  }

  var words: [String] { output.dimensions.map(String.init) }

  func outputShape(for inputs: [Shape]) -> Shape { output }

  func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    let shape = try Shape(
      chosen: [output.rows, output.rowCount, inputs[0].rows, inputs[0].rowCount])
    let deviation = 1 / Float(inputs[0].count).squareRoot()
    return [ParameterDescription(.weight, shape, initial: .normal(deviation: deviation))]
  }

  func units(inputs: [Shape], output: Shape) -> UnitRelation {
    UnitRelation(
      .new,
      axes: [
        .init(parameter: 0, axis: 0, .output), .init(parameter: 0, axis: 2, .input(0)),
      ])
  }

  func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { ShapedLinearKernel(output: output) }
}

private struct ShapedLinearKernel: UnaryKernel {
  let output: Shape

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    let samples = input.shape.rows
    let weight = parameters[0].reshaped([output.count, input.shape.rowCount])
    var result = Tensor(unspecified: [samples, output.count])
    result.assignProduct(input.matrix, weight.transposed, workers: workers)
    return result.reshaped(output.batched(samples))
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
    let samples = gradient.shape.rows
    let flat = gradient.reshaped([samples, output.count])
    let width = record[0].shape.rowCount
    var own = gradients[0].reshaped([output.count, width])
    own.assignProduct(
      flat.transposed, record[0].matrix, beta: pass.carry, workers: pass.workers)
    gradients[0] = own.reshaped(gradients[0].shape)
    var input = Tensor(unspecified: record[0].shape)
    input.assignProduct(
      flat.matrix, parameters[0].reshaped([output.count, width]).matrix, workers: pass.workers)
    return input
  }
}
