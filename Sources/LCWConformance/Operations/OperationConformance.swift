// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Looks whether an operation keeps the promises of ``NetworkOperation``.
///
/// ```swift
/// let suite = try OperationConformance("conv", texts: ["conv 4 3x3 pad 1"], in: .linked())
/// for broken in suite.brokenProperties() { print(broken) }
/// ```
public struct OperationConformance: Sendable {
  /// The shapes of one sample to try; the operation may refuse some, but not all.
  public var shapes: [Shape] = [
    [12], [8, 6, 6], [4, 3, 5], [2, 7, 4], [6], [4, 6], [1], [6, 1, 1],
  ]
  /// The most values that an operation of many inputs is tried with.
  public var mostInputs = 3

  private let type: any NetworkOperation.Type
  private let texts: [String]
  private let catalog: OperationCatalog

  /// The suite for an operation.
  /// - Parameters:
  ///   - name: The operation.
  ///   - texts: Operations of the kind as they are written; the name alone if none is given.
  ///   - registry: Where it is looked for.
  /// - Throws: ``PluginError`` if the registry has no such operation.
  public init(_ name: String, texts: [String] = [], in registry: PluginRegistry) throws {
    let known = registry.plugins(of: .operation)
    guard let found = known.first(where: { $0.name == name }),
      let type = found as? any NetworkOperation.Type
    else {
      throw PluginError.unknownPlugin(name: name, kind: .operation, known: known.map { $0.name })
    }
    self.type = type
    self.texts = texts.isEmpty ? [name] : texts
    catalog = registry.operations
  }

  /// The promises that the operation does not keep.
  public func brokenProperties() -> [BrokenProperty] {
    var broken = Conformance.brokenDescription(of: type)
    if type.usage.split(separator: " ").first.map(String.init) != type.name {
      broken.add(.meansItsText, "the usage ‘\(type.usage)’ does not begin with ‘\(type.name)’")
    }
    if !type.nodeName.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
      || type.nodeName.isEmpty
    {
      broken.add(.meansItsText, "‘\(type.nodeName)’ can't be a part of a node's name")
    }
    for text in texts {
      do throws(OperationProblem) {
        let operation = try catalog.operation(text.split(separator: " ").map(String.init))
        broken += self.broken(operation, text)
      } catch {
        broken.add(.meansItsText, "‘\(text)’ is refused: expected \(error.sentence)")
      }
    }
    // A fault that shows at every shape is told once.
    var seen: Set<BrokenProperty> = []
    return broken.filter { seen.insert($0).inserted }
  }

  private func broken(_ operation: some NetworkOperation, _ text: String) -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    broken.add(.meansItsText, misread(operation))
    var refusals: [String] = []
    var accepted = 0
    for inputs in inputShapes {
      do throws(OperationProblem) {
        let output = try operation.outputShape(for: inputs)
        let parameters = try operation.parameters(for: inputs)
        accepted += 1
        let findings = OperationCase(
          operation, inputs: inputs, output: output, parameters: parameters
        ).brokenProperties()
        broken += findings.map {
          BrokenProperty(
            $0.property,
            "‘\(text)’ on \(inputs.map(\.description).joined(separator: " and ")): \($0.finding)")
        }
        // The other shapes would say it again.
        if !findings.isEmpty { break }
      } catch {
        refusals.append("\(inputs): \(error.sentence)")
        broken.add(.refusesShapes, unclear(error, inputs))
      }
    }
    for inputs in impossibleShapes {
      do throws(OperationProblem) { _ = try operation.outputShape(for: inputs) } catch {
        broken.add(.refusesShapes, unclear(error, inputs))
      }
    }
    if accepted == 0 {
      broken.add(
        .acceptsShapes, "‘\(text)’ refuses every shape: \(refusals.joined(separator: "; "))")
    }
    return broken
  }

  /// What is wrong with the text of an operation.
  private func misread(_ operation: some NetworkOperation) -> String? {
    let marks: Set<Character> = [",", ";", "#", "=", "\n", " "]
    for word in operation.words
    where word.isEmpty || word == "from" || word.contains(where: marks.contains) {
      return "the word ‘\(word)’ has another meaning in a network's text, or none"
    }
    do throws(OperationProblem) {
      let again = try catalog.operation([type.name] + operation.words)
      guard Layer(again) == Layer(operation), Layer(again).hashValue == Layer(operation).hashValue
      else { return "‘\(operation.text)’ means another operation, ‘\(again.text)’" }
    } catch {
      return "its own text ‘\(operation.text)’ is refused: expected \(error.sentence)"
    }
    return nil
  }

  private func unclear(_ problem: OperationProblem, _ inputs: [Shape]) -> String? {
    let sentence = problem.sentence
    guard sentence.isEmpty || sentence.hasSuffix(".") || sentence.contains("\n") else { return nil }
    return
      "\(inputs) is refused with ‘\(sentence)’, which is not a sentence of one line without a full stop"
  }

  /// The numbers of inputs to try.
  private var counts: [Int] {
    let most = max(type.inputCount.lowerBound, min(type.inputCount.upperBound, mostInputs))
    return Array(type.inputCount.lowerBound...most)
  }

  /// Values of one shape, and such of which the others are wider, narrower, or one number for each unit.
  private var inputShapes: [[Shape]] {
    var result: [[Shape]] = []
    for shape in shapes {
      for count in counts {
        let rest = Array(shape.dimensions.dropFirst())
        let seconds: [[Int]] = [
          shape.dimensions, [shape.rows + 3] + rest, [shape.rows],
          [shape.rows] + rest.map { _ in 1 },
        ]
        for second in count > 1 ? seconds : [shape.dimensions] {
          let others = [Shape](repeating: Shape(second), count: count - 1)
          if !result.contains([shape] + others) { result.append([shape] + others) }
        }
      }
    }
    return result
  }

  /// Shapes that most operations refuse, and values that do not go together.
  private var impossibleShapes: [[Shape]] {
    let odd: [Shape] = [[], [1, 1, 1, 1], [2, 1], [3, 1, 2], [1 << 30, 1 << 12, 1 << 12]]
    return counts.flatMap { count in
      odd.map { [Shape](repeating: $0, count: count) }
        + (count > 1 ? [[Shape]([[4]] + [Shape](repeating: [2, 3, 4], count: count - 1))] : [])
    }
  }
}
