// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import Testing

/// Expects that a text means an operation that is written as `canonical`, and that this means it again.
func expectText(
  _ text: String, writtenAs canonical: String? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let first = try parse(text)
  #expect(first.text == canonical ?? text, sourceLocation: sourceLocation)
  #expect(
    Layer(try parse(first.text)) == Layer(first), "\(first)",
    sourceLocation: sourceLocation)
}

/// Expects that a text is refused with words of its own.
func expectRefusal(
  of text: String, saying words: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  let problem = #expect(throws: OperationProblem.self, sourceLocation: sourceLocation) {
    _ = try parse(text)
  }
  #expect(
    problem?.sentence.contains(words) == true, "\(text): \(problem?.sentence ?? "")",
    sourceLocation: sourceLocation)
}

/// Expects what an operation makes of shapes.
func expectShape(
  _ text: String, _ inputs: [Shape], becomes output: Shape,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  #expect(
    try parse(text).outputShape(for: inputs) == output, "\(text)",
    sourceLocation: sourceLocation)
}

/// Expects that a network can't have an operation behind samples of a shape, and says why.
func expectRefusal(
  of layer: Layer, behind inputs: [Shape], saying words: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let problem = #expect(throws: OperationProblem.self, sourceLocation: sourceLocation) {
    _ = try layer.operation.outputShape(for: inputs)
    _ = try layer.operation.parameters(for: inputs)
  }
  #expect(
    problem?.sentence.contains(words) == true, "\(layer): \(problem?.sentence ?? "")",
    sourceLocation: sourceLocation)
}

/// Expects the relation of units that an operation has.
func expectUnits(
  _ text: String, _ inputs: [Shape], _ output: UnitRelation.Output, parts: Int = 1,
  isCoupled: Bool = false, axes: Int = 0, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let operation = try parse(text)
  let relation = operation.units(
    inputs: inputs, output: try operation.outputShape(for: inputs))
  #expect(relation.output == output, "\(text)", sourceLocation: sourceLocation)
  #expect(relation.parts == parts, "\(text)", sourceLocation: sourceLocation)
  #expect(relation.isCoupled == isCoupled, "\(text)", sourceLocation: sourceLocation)
  #expect(relation.axes.count == axes, "\(text)", sourceLocation: sourceLocation)
}

/// Expects that an operation's gradients, by its inputs and parameters, are those of central differences.
func expectGradients(
  _ text: String, _ inputs: [Shape], seed: UInt64 = 1,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let operation = try parse(text)
  let output = try operation.outputShape(for: inputs)
  let descriptions = try operation.parameters(for: inputs)
  let kernel = operation.kernel(inputs: inputs, output: output, fusing: nil)
  let samples = 3
  var random = RandomStream(seed: seed)
  var values = inputs.map { random.normal($0.batched(samples)) }
  values += descriptions.map { description in
    var tensor = random.normal(description.shape)
    if description.role == .variance { tensor = Tensor(repeating: 1, shape: description.shape) }
    return tensor
  }
  let weight = random.normal(output.batched(samples))

  func sum(_ values: [Tensor]) -> Double {
    var pass = TrainingPass()
    let (result, _) = kernel.outputRecording(
      of: Array(values.prefix(inputs.count)), parameters: Array(values.dropFirst(inputs.count)),
      pass: &pass)
    return zip(result.elements, weight.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  var pass = TrainingPass()
  let parameters = Array(values.dropFirst(inputs.count))
  let (_, record) = kernel.outputRecording(
    of: Array(values.prefix(inputs.count)), parameters: parameters, pass: &pass)
  var gradients = parameters.map { Tensor(repeating: .nan, shape: $0.shape) }
  let before = kernel.backward(
    weight, record: record, parameters: parameters, gradients: &gradients,
    needs: inputs.map { _ in true }, pass: pass)
  let found = before + gradients.map(Optional.init)
  let step: Float = 1 / 256
  let middle = sum(values)
  var (compared, kinks, largest) = (0, 0, Float(0))
  for place in values.indices {
    if place >= inputs.count, descriptions[place - inputs.count].update != .gradient { continue }
    let analytic = try #require(found[place], "\(text)", sourceLocation: sourceLocation)
    for element in 0..<values[place].count {
      let value = values[place].elements[element]
      values[place].elements[element] = value + step
      let above = sum(values)
      values[place].elements[element] = value - step
      let below = sum(values)
      values[place].elements[element] = value
      // Where a kink lies within the step, the two one-sided differences disagree.
      if abs(above + below - 2 * middle) / Double(step) > 0.02 {
        kinks += 1
        continue
      }
      compared += 1
      let numeric = Float((above - below) / Double(2 * step))
      largest = max(largest, abs(numeric))
      #expect(
        abs(numeric - analytic.elements[element]) < 0.012 * max(1, abs(numeric)),
        "\(text), value \(place), element \(element): \(numeric) and \(analytic.elements[element])",
        sourceLocation: sourceLocation)
    }
  }
  #expect(largest > 0.01, "\(text): all gradients vanish", sourceLocation: sourceLocation)
  #expect(kinks * 4 < compared, "\(text): \(kinks) kinks", sourceLocation: sourceLocation)
}
