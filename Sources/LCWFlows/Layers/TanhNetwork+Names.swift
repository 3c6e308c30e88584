// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

extension TanhNetwork {
  /// The parameters as whole matrices: `hidden1.weight` `[units, inputs]`, `hidden1.bias`, …, and
  /// `scale.weight` `[coordinates, units]`, `scale.bias`, `shift.weight`, `shift.bias`.
  /// - Parameter block: The coordinates whose scales lie before their shifts among the outputs.
  func namedTensors(_ parameters: [Tensor], block: Int) -> [(name: String, tensor: Tensor)] {
    var result: [(String, Tensor)] = []
    for (index, matrix) in matrices.enumerated() {
      let place = place(of: index)
      let whole = matrix.joined(parameters[place])
      let bias = parameters[place.upperBound]
      if index < depth {
        result.append(("hidden\(index + 1).weight", whole))
        result.append(("hidden\(index + 1).bias", bias))
      } else {
        let order = OutputOrder(width: matrix.rows / 2, block: block)
        let (weights, biases) = (order.parts(of: whole), order.parts(of: bias))
        result += [
          ("scale.weight", weights.scales), ("scale.bias", biases.scales),
          ("shift.weight", weights.shifts), ("shift.bias", biases.shifts),
        ]
      }
    }
    return result
  }

  /// The parameters from the tensors that ``namedTensors(_:block:)`` names.
  func parameters(
    block: Int, named tensor: (String, Shape) throws -> Tensor
  ) throws -> [Tensor] {
    var result: [Tensor] = []
    for (index, matrix) in matrices.enumerated() {
      if index < depth {
        let name = "hidden\(index + 1)"
        result += matrix.split(try tensor("\(name).weight", [matrix.rows, matrix.columns]))
        result.append(try tensor("\(name).bias", [matrix.rows]))
      } else {
        let width = matrix.rows / 2
        let order = OutputOrder(width: width, block: block)
        result += matrix.split(
          order.joined(
            try tensor("scale.weight", [width, matrix.columns]),
            try tensor("shift.weight", [width, matrix.columns])))
        result.append(
          order.joined(try tensor("scale.bias", [width]), try tensor("shift.bias", [width])))
      }
    }
    return result
  }
}

/// Outputs in blocks, first the scales of `block` coordinates and then their shifts.
private struct OutputOrder {
  let width: Int
  let block: Int

  /// The row of each coordinate's scale, and of its shift.
  private var places: [(scale: Int, shift: Int)] {
    (0..<width).map { coordinate in
      let start = coordinate / block * block
      let size = min(block, width - start)
      let scale = 2 * start + coordinate - start
      return (scale, scale + size)
    }
  }

  func parts(of whole: Tensor) -> (scales: Tensor, shifts: Tensor) {
    let shape = Shape([width] + whole.shape.dimensions.dropFirst())
    var (scales, shifts) = ([Float](), [Float]())
    for place in places {
      scales += whole.row(place.scale)
      shifts += whole.row(place.shift)
    }
    return (Tensor(scales).reshaped(shape), Tensor(shifts).reshaped(shape))
  }

  func joined(_ scales: Tensor, _ shifts: Tensor) -> Tensor {
    var whole = Tensor(zeros: Shape([2 * width] + scales.shape.dimensions.dropFirst()))
    let size = scales.shape.rowCount
    for (coordinate, place) in places.enumerated() {
      whole.elements.replaceSubrange(
        place.scale * size..<(place.scale + 1) * size, with: scales.row(coordinate))
      whole.elements.replaceSubrange(
        place.shift * size..<(place.shift + 1) * size, with: shifts.row(coordinate))
    }
    return whole
  }
}
