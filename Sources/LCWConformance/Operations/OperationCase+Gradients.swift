// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension OperationCase {
  /// The gradients of a weighted sum of the outputs.
  private struct Gradients {
    var inputs: [Tensor?]
    var parameters: [Tensor]
  }

  private func gradients(
    carry: Float = 0, buffers seed: UInt64? = nil, needs: [Bool]? = nil
  ) -> Gradients {
    let values = parameterValues()
    var pass = pass(carry: carry)
    let (_, record) = kernel.outputRecording(of: blocks(seed: 1), parameters: values, pass: &pass)
    var buffers = buffers(seed: seed)
    let before = kernel.backward(
      weighting, record: record, parameters: values, gradients: &buffers,
      needs: needs ?? inputs.map { _ in true }, pass: pass)
    return Gradients(inputs: before, parameters: buffers)
  }

  private func isTrained(_ index: Int) -> Bool { parameters[index].update == .gradient }

  /// What is wrong on the way back.
  func brokenGradients() -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    let whole = gradients()
    broken.add(.givesNeededGradients, ungiven(whole))
    guard broken.isEmpty else { return broken }
    broken.add(.scalesBuffers, unscaled(whole))
    broken.add(.writesAverages, unwritten(whole))
    let sides = [
      differing(blocks(seed: 1), whole.inputs, which: { "input \($0 + 1)" }) { changed in
        weightedSum(changed, parameterValues())
      },
      differing(
        parameterValues(),
        whole.parameters.indices.map { isTrained($0) ? whole.parameters[$0] : nil },
        which: { parameters[$0].role.rawValue }
      ) { changed in weightedSum(blocks(seed: 1), changed) },
    ]
    for side in sides { broken.add(.hasOperationGradients, side) }
    return broken
  }

  private func weightedSum(_ blocks: [Tensor], _ values: [Tensor]) -> Double {
    var pass = pass()
    let (output, _) = kernel.outputRecording(of: blocks, parameters: values, pass: &pass)
    return zip(output.elements, weighting.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// The numbers of each tensor that are looked at.
  private static var most: Int { 10 }

  /// A gradient that is not that of central differences.
  private func differing(
    _ tensors: [Tensor], _ gradients: [Tensor?], which name: (Int) -> String,
    _ value: ([Tensor]) -> Double
  ) -> String? {
    for (index, gradient) in gradients.enumerated() {
      guard let gradient else { continue }
      let size = gradient.elements.reduce(1) { max($0, Double(abs($1))) }
      let count = min(Self.most, gradient.count)
      var compared = 0
      for number in 0..<count {
        // Spread over the tensor, and not always at the same place of a row.
        let place = (number * gradient.count / count + 7 * number) % gradient.count
        func difference(_ step: Float) -> Double {
          var (above, below) = (tensors, tensors)
          above[index].elements[place] += step
          below[index].elements[place] -= step
          let width =
            Double(above[index].elements[place]) - Double(below[index].elements[place])
          return (value(above) - value(below)) / width
        }
        let (coarse, fine) = (difference(1 / 64), difference(1 / 128))
        // Where a kink lies within the step, the two disagree.
        guard abs(coarse - fine) <= 2e-3 * size else { continue }
        compared += 1
        let found = Double(gradient.elements[place])
        // What both lack of the limit is a third of their difference.
        guard abs(fine + (fine - coarse) / 3 - found) <= 4e-3 * size else {
          return "\(name(index))[\(place)]: \(found) where differences give \(fine)"
        }
      }
      if compared * 2 < count {
        return
          "\(name(index)): only \(compared) of \(count) numbers lie away from kinks, too few to tell"
      }
    }
    return nil
  }

  private func ungiven(_ whole: Gradients) -> String? {
    guard whole.inputs.count == inputs.count else {
      return "\(inputs.count) inputs get \(whole.inputs.count) gradients"
    }
    for (index, gradient) in whole.inputs.enumerated() {
      guard let gradient else { return "input \(index + 1) gets none" }
      guard gradient.shape == inputs[index].batched(Self.samples) else {
        return "input \(index + 1) gets a gradient \(gradient.shape)"
      }
    }
    for (index, gradient) in whole.parameters.enumerated()
    where gradient.shape != parameters[index].shape {
      return "\(parameters[index].role.rawValue) gets a gradient \(gradient.shape)"
    }
    for index in inputs.indices {
      let needs = inputs.indices.map { $0 != index }
      let some = gradients(needs: needs)
      guard some.inputs.count == inputs.count, some.inputs[index] == nil else {
        return "input \(index + 1) gets one that is not needed"
      }
      let isSame =
        zip(some.parameters, whole.parameters).allSatisfy { Self.areNear($0, $1) }
        && inputs.indices.filter { needs[$0] }.allSatisfy { other in
          some.inputs[other].flatMap { a in whole.inputs[other].map { Self.areNear(a, $0) } }
            ?? false
        }
      if !isSame { return "without that of input \(index + 1) the others are others" }
    }
    return nil
  }

  /// With a share of the old content kept.
  private func unscaled(_ whole: Gradients) -> String? {
    for carry: Float in [0, 0.5] {
      let found = gradients(carry: carry, buffers: 5).parameters
      let old = buffers(seed: 5)
      for index in parameters.indices where isTrained(index) {
        let expected = zip(whole.parameters[index].elements, old[index].elements)
          .map { $0 + carry * $1 }
        guard Self.areNear(found[index].elements[...], expected[...], within: 1e-5) else {
          return
            "\(parameters[index].role.rawValue)'s buffer does not keep \(carry) of what it held"
        }
      }
    }
    return nil
  }

  /// Averages are this batch's, whatever their buffers held, and those of another batch for another.
  private func unwritten(_ whole: Gradients) -> String? {
    for index in parameters.indices where !isTrained(index) {
      for carry: Float in [0, 0.5] {
        let found = gradients(carry: carry, buffers: 5).parameters[index]
        guard found.isFinite, Self.areNear(found, whole.parameters[index]) else {
          return
            "\(parameters[index].role.rawValue) is not the batch's value, but has something of its buffer"
        }
      }
    }
    return nil
  }
}
