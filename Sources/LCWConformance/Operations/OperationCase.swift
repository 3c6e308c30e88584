// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// An operation on inputs of some shapes, and what is looked at there.
struct OperationCase<Operation: NetworkOperation> {
  let operation: Operation
  let inputs: [Shape]
  let output: Shape
  let parameters: [ParameterDescription]
  let kernel: any OperationKernel

  /// The samples of a block.
  static var samples: Int { 4 }

  init(
    _ operation: Operation, inputs: [Shape], output: Shape, parameters: [ParameterDescription]
  ) {
    self.operation = operation
    self.inputs = inputs
    self.output = output
    self.parameters = parameters
    kernel = operation.kernel(inputs: inputs, output: output, fusing: nil)
  }

  /// The promises that are broken; those that others are looked at through come first, and alone if they
  /// are.
  func brokenProperties() -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    broken.add(.describesParameters, misdescribed)
    let work = [
      operation.multiplyAdds(inputs: inputs, output: output),
      operation.workspace(inputs: inputs, output: output),
    ]
    if !work.allSatisfy({ $0.isFinite && $0 >= 0 }) {
      broken.add(.countsWork, "multiplications and workspace are \(work)")
    }
    guard broken.isEmpty else { return broken }
    broken.add(.putsOutItsShape, misshapen())
    guard broken.isEmpty else { return broken }
    broken.add(.leavesInputs, changedInput())
    guard broken.isEmpty else { return broken }
    broken.add(.keepsSamplesApart, mixedSamples())
    broken.add(.ignoresWorkers, dependenceOnWorkers())
    broken.add(.keepsValues, changedValues())
    broken.add(.isAffine, bentLines())
    broken.add(.isLinear, bentProduct())
    broken += brokenGradients()
    broken.add(.fusesTruly, misfused())
    broken.add(.relatesAxes, unrelated())
    guard broken.isEmpty else { return broken }
    broken.add(.tellsCoupling, untoldCoupling())
    return broken
  }

  // MARK: Values to look at

  /// Blocks of random values.
  func blocks(seed: UInt64, samples: Int = samples) -> [Tensor] {
    inputs.indices.map { index in
      var random = RandomStream(seed: seed, stream: UInt64(index))
      return random.normal(inputs[index].batched(samples))
    }
  }

  /// Parameters away from what they are before training, but as large.
  func parameterValues(seed: UInt64 = 3) -> [Tensor] {
    parameters.indices.map { index in
      var random = RandomStream(seed: seed, stream: 100 + UInt64(index))
      let shape = parameters[index].shape
      switch parameters[index].initial {
      case .constant(let value):
        var tensor = random.uniform(shape, bound: 0.4)
        for place in 0..<tensor.count { tensor.elements[place] += value }
        return tensor
      case .uniform(let bound): return random.uniform(shape, bound: bound)
      case .normal(let deviation): return random.normal(shape, deviation: deviation)
      }
    }
  }

  func output(
    of blocks: [Tensor], parameters: [Tensor]? = nil, workers: Workers = .serial,
    by other: (any OperationKernel)? = nil
  ) -> Tensor {
    (other ?? kernel).output(
      of: blocks, parameters: parameters ?? parameterValues(), workers: workers)
  }

  /// A pass of training with the same random numbers each time.
  func pass(carry: Float = 0, workers: Workers = .serial) -> TrainingPass {
    TrainingPass(workers: workers, carry: carry, random: RandomStream(seed: 17))
  }

  func buffers(seed: UInt64?) -> [Tensor] {
    parameters.indices.map { index in
      guard let seed else { return Tensor(zeros: parameters[index].shape) }
      var random = RandomStream(seed: seed, stream: 200 + UInt64(index))
      return random.normal(parameters[index].shape)
    }
  }

  // MARK: Shapes and parameters

  private var misdescribed: String? {
    let roles = parameters.map(\.role.rawValue)
    if Set(roles).count < roles.count { return "two parameters have one role among \(roles)" }
    for parameter in parameters {
      let name = parameter.role.rawValue
      if parameter.shape.count == 0 { return "\(name) has no values: \(parameter.shape)" }
      let isUsable =
        switch parameter.initial {
        case .constant(let value): value.isFinite
        case .uniform(let bound): bound.isFinite && bound >= 0
        case .normal(let deviation): deviation.isFinite && deviation >= 0
        }
      if !isUsable { return "\(name) begins as \(parameter.initial)" }
      if case .average(let share) = parameter.update, !(share > 0 && share <= 1) {
        return "\(name) moves by a share of \(share)"
      }
      if operation.foreignNames(of: parameter.role).isEmpty {
        return "\(name) has no name in other programs"
      }
    }
    return nil
  }

  private func misshapen() -> String? {
    let expected = output.batched(Self.samples)
    let values = parameterValues()
    let found = output(of: blocks(seed: 1))
    guard found.shape == expected else { return "\(found.shape) in the place of \(expected)" }
    guard found.isFinite else { return "what it puts out is not finite" }
    var pass = pass()
    let trained = kernel.outputRecording(of: blocks(seed: 1), parameters: values, pass: &pass)
      .output
    guard trained.shape == expected else {
      return "\(trained.shape) in training in the place of \(expected)"
    }
    guard trained.isFinite else { return "what it puts out in training is not finite" }
    return nil
  }

  // MARK: Blocks

  /// Every tensor that goes in is someone else's too.
  private func changedInput() -> String? {
    let (blocks, values) = (blocks(seed: 1), parameterValues())
    // Without shared storage.
    let (kept, keptValues) = (self.blocks(seed: 1), parameterValues())
    func isChanged() -> Bool {
      !zip(blocks + values, kept + keptValues).allSatisfy { $0.isIdentical(to: $1) }
    }
    _ = output(of: blocks, parameters: values)
    if isChanged() { return "evaluation changes an input or a parameter" }
    var pass = pass()
    let (output, record) = kernel.outputRecording(of: blocks, parameters: values, pass: &pass)
    if isChanged() { return "training changes an input or a parameter" }
    let gradient = weighting
    var buffers = buffers(seed: nil)
    _ = kernel.backward(
      gradient, record: record, parameters: values, gradients: &buffers,
      needs: inputs.map { _ in true }, pass: pass)
    if isChanged() { return "the way back changes an input or a parameter" }
    if !gradient.isIdentical(to: weighting) { return "the way back changes the gradient behind it" }
    return output.isFinite ? nil : "the output changes"
  }

  /// A random gradient behind the operation.
  var weighting: Tensor {
    var random = RandomStream(seed: 29)
    return random.normal(output.batched(Self.samples))
  }

  private func mixedSamples() -> String? {
    let whole = blocks(seed: 1)
    let others = blocks(seed: 2)
    let expected = output(of: whole)
    for sample in 0..<Self.samples {
      // The same sample alone, and among others.
      let alone = output(of: whole.map { $0.samples(sample..<sample + 1) })
      let among = output(
        of: zip(whole, others).map { Tensor(joining: [$0.samples(sample..<sample + 1), $1]) })
      for found in [alone, among]
      where !Self.areNear(found.row(0), expected.row(sample), within: 1e-5) {
        return "sample \(sample + 1) gives another output when the others are not there or differ"
      }
    }
    return nil
  }

  private func dependenceOnWorkers() -> String? {
    let (whole, values) = (blocks(seed: 1), parameterValues())
    func results(_ workers: Workers) -> [Tensor] {
      var pass = pass(workers: workers)
      let (output, record) = kernel.outputRecording(of: whole, parameters: values, pass: &pass)
      var buffers = buffers(seed: nil)
      let before = kernel.backward(
        weighting, record: record, parameters: values, gradients: &buffers,
        needs: inputs.map { _ in true }, pass: pass)
      return [self.output(of: whole, workers: workers), output] + buffers
        + before.compactMap(\.self)
    }
    let expected = results(.serial)
    for count in [2, 3] {
      let found = results(Workers(count))
      let isNear =
        found.count == expected.count
        && zip(found, expected).allSatisfy {
          Self.areNear($0.elements[...], $1.elements[...], within: 1e-5)
        }
      if !isNear { return "\(count) workers give another output or gradient than one" }
    }
    return nil
  }

  // MARK: What it says it does

  private func changedValues() -> String? {
    guard operation.keepsValues else { return nil }
    let block = blocks(seed: 1)[0]
    let found = output(of: [block])
    let isSame =
      inputs.count == 1 && found.count == block.count
      && zip(found.elements, block.elements).allSatisfy { $0 == $1 }
    return isSame ? nil : "it says that it keeps values, but puts out others"
  }

  private func misfused() -> String? {
    let (blocks, values) = (blocks(seed: 1), parameterValues())
    if operation.fusedActivation == .rectifier {
      let found = output(of: blocks)
      let expected = blocks[0].elements.map { max($0, 0) }
      guard inputs.count == 1, found.elements == expected else {
        return "it says that it is max(x, 0), but puts out something else"
      }
    }
    guard operation.fuses(.rectifier) else { return nil }
    let fused = operation.kernel(inputs: inputs, output: output, fusing: .rectifier)
    func clipped(_ tensor: Tensor) -> Tensor {
      var result = tensor
      for index in 0..<result.count { result.elements[index] = max(result.elements[index], 0) }
      return result
    }
    guard Self.areNear(output(of: blocks, by: fused), clipped(output(of: blocks))) else {
      return "with a ReLU taken over, evaluation gives something else"
    }
    var (plainPass, fusedPass) = (pass(), pass())
    let (plain, plainRecord) = kernel.outputRecording(
      of: blocks, parameters: values, pass: &plainPass)
    let (other, record) = fused.outputRecording(of: blocks, parameters: values, pass: &fusedPass)
    guard Self.areNear(other, clipped(plain)) else {
      return "with a ReLU taken over, training gives something else"
    }
    var masked = weighting
    for index in 0..<masked.count where plain.elements[index] <= 0 { masked.elements[index] = 0 }
    let needs = inputs.map { _ in true }
    var (plainBuffers, buffers) = (buffers(seed: nil), buffers(seed: nil))
    let expected = kernel.backward(
      masked, record: plainRecord, parameters: values, gradients: &plainBuffers, needs: needs,
      pass: plainPass)
    let found = fused.backward(
      weighting, record: record, parameters: values, gradients: &buffers, needs: needs,
      pass: fusedPass)
    let isNear =
      zip(found, expected).allSatisfy { a, b in
        a.flatMap { a in b.map { Self.areNear(a, $0) } } ?? false
      }
      && zip(buffers, plainBuffers).allSatisfy { Self.areNear($0, $1) }
    return isNear ? nil : "with a ReLU taken over, gradients are others"
  }

  // MARK: Comparing

  /// Whether two tensors differ by little beside their largest value.
  static func areNear(_ a: Tensor, _ b: Tensor, within share: Float = 1e-5) -> Bool {
    a.shape == b.shape && areNear(a.elements[...], b.elements[...], within: share)
  }

  static func areNear(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>, within share: Float) -> Bool {
    let size = b.reduce(0) { max($0, abs($1)) }
    return a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= share * (size + 1e-3) }
  }
}

extension Tensor {
  /// Some samples of a block.
  func samples(_ range: Range<Int>) -> Tensor {
    var result = Tensor(unspecified: Shape([range.count] + shape.dimensions.dropFirst()))
    let width = shape.rowCount
    result.elements.replaceSubrange(
      0..<result.count, with: elements[range.lowerBound * width..<range.upperBound * width])
    return result
  }

  /// Blocks of samples behind one another.
  init(joining blocks: [Tensor]) {
    let rows = blocks.reduce(0) { $0 + $1.shape.rows }
    self.init(unspecified: Shape([rows] + (blocks.first?.shape.dimensions.dropFirst() ?? [])))
    var place = 0
    for block in blocks {
      elements.replaceSubrange(place..<place + block.count, with: block.elements)
      place += block.count
    }
  }
}
