// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension OperationCase {
  /// An affine operation's lines against its output.
  func bentLines() -> String? {
    guard let affine = operation as? any AffineOperation else { return nil }
    let lines = affine.lines(parameters: parameterValues())
    let block = blocks(seed: 1)[0]
    guard inputs.count == 1, lines.count == inputs[0].rows, output == inputs[0] else {
      return "\(inputs[0].rows) units have \(lines.count) lines"
    }
    var expected = block
    for index in 0..<expected.count {
      let line = lines[index % inputs[0].count / inputs[0].rowCount]
      expected.elements[index] = Float(Double(block.elements[index]) * line.factor + line.summand)
    }
    guard Self.areNear(output(of: [block]), expected) else {
      return "the lines give another output"
    }
    let summands = lines.indices.map { Float($0) - 0.5 }
    guard let passing = affine.parameters(adding: summands) else { return nil }
    let adding = affine.lines(parameters: passing)
    let isPassing =
      adding.count == summands.count
      && zip(adding, summands).allSatisfy {
        abs($0.factor - 1) < 1e-6 && abs($0.summand - Double($1)) < 1e-5 * max(1, abs(Double($1)))
      }
    return isPassing ? nil : "the parameters that are to add numbers alone do something else"
  }

  /// A linear operation's products, features and positions against its output.
  func bentProduct() -> String? {
    guard let linear = operation as? any LinearOperation else { return nil }
    return bent(linear)
  }

  private func bent(_ linear: some LinearOperation) -> String? {
    let roles = parameters.map(\.role)
    guard inputs.count == 1, roles == (linear.hasBias ? [.weight, .bias] : [.weight]),
      parameters[0].shape.rows == output.rows,
      parameters.count == 1 || parameters[1].shape == [output.rows]
    else {
      return
        "its parameters \(roles.map(\.rawValue)) are not weights [outputs, …] and, with a bias, a bias"
    }
    let (input, block, values) = (inputs[0], blocks(seed: 1)[0], parameterValues())
    guard let product = product(linear, block, values[0]) else {
      return "the product does not have the output's shape"
    }
    var expected = output(of: [block])
    if linear.hasBias {
      for index in 0..<expected.count {
        expected.elements[index] -= values[1].elements[index % output.count / output.rowCount]
      }
    }
    guard Self.areNear(product, expected) else {
      return "the product is not the output without a bias"
    }
    let adding = linear.addingBias
    var biasless: [Shape] = []
    do throws(OperationProblem) {
      biasless = try adding.parameters(for: inputs).map(\.shape)
      guard try adding.outputShape(for: inputs) == output else {
        return "with a bias its output has another shape"
      }
    } catch {
      return "with a bias it is refused: \(error.sentence)"
    }
    guard adding.hasBias, biasless == [parameters[0].shape, [output.rows]] else {
      return "with a bias its parameters are \(biasless)"
    }
    if !linear.readsPadding {
      let ones = Tensor(repeating: 1, shape: block.shape)
      let sums = (0..<output.rows).map { values[0].row($0).reduce(0, +) }
      guard let constant = self.product(linear, ones, values[0]),
        constant.elements.enumerated().allSatisfy({
          abs($1 - sums[$0 % output.count / output.rowCount]) <= 1e-4 * (1 + abs($1))
        })
      else {
        return "it says that it reads nothing outside its input, but an image of ones shows it does"
      }
    }
    let relation = operation.units(inputs: inputs, output: output)
    guard linear.parts >= 1, relation.output != .new || relation.parts == linear.parts else {
      return "it has \(linear.parts) parts, and the relation of axes \(relation.parts)"
    }
    guard linear.parts == 1 else { return nil }
    return misfeatured(linear, block, input, values[0], product)
  }

  private func product(_ linear: some LinearOperation, _ block: Tensor, _ weight: Tensor) -> Tensor?
  {
    let product = linear.product(of: block, with: weight, input: inputs[0], workers: .serial)
    return product.shape == output.batched(Self.samples) ? product : nil
  }

  private func misfeatured(
    _ linear: some LinearOperation, _ block: Tensor, _ input: Shape, _ weight: Tensor,
    _ product: Tensor
  ) -> String? {
    let positions = linear.positions(input: input)
    guard positions == output.rowCount else {
      return "it has \(positions) positions, and its output \(output.rowCount)"
    }
    let rows = linear.featureRows(of: block, input: input, positions: nil, first: 0)
    guard rows.shape.rows == Self.samples * positions, rows.shape.rowCount == weight.shape.rowCount
    else { return "the features are \(rows.shape)" }
    var products = Tensor(unspecified: [rows.shape.rows, output.rows])
    products.assignProduct(rows.matrix, weight.transposed)
    var arranged = Tensor(zeros: product.shape)
    for sample in 0..<Self.samples {
      for position in 0..<positions {
        for unit in 0..<output.rows {
          arranged.elements[sample * output.count + unit * positions + position] =
            products.elements[(sample * positions + position) * output.rows + unit]
        }
      }
    }
    guard Self.areNear(arranged, product) else {
      return "weights times features are not the product"
    }
    let few = min(2, positions)
    let some = linear.featureRows(of: block, input: input, positions: 2, first: 3)
    guard some.shape.rows == Self.samples * few, some.shape.rowCount == rows.shape.rowCount else {
      return "asked for \(few) positions of each sample, it gives features \(some.shape)"
    }
    // Weights of one output alone.
    let first = linear.product(
      of: block, with: weight.samples(0..<1), input: input, workers: .serial)
    let expected = (0..<Self.samples).flatMap { sample in
      Array(product.row(sample).prefix(positions))
    }
    guard first.count == expected.count,
      Self.areNear(first.elements[...], expected[...], within: 1e-5)
    else { return "weights of one output give another product than that output's" }
    return nil
  }
}
