// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// A node with what its inputs stand for.
struct NodeCall {
  /// The node.
  let node: ONNXNode
  /// Its inputs; nothing for one that is left out.
  let inputs: [GraphValue?]
  /// The version of the operators.
  let version: Int

  /// The input at a place, if it is given.
  func input(_ index: Int) -> GraphValue? { index < inputs.count ? inputs[index] : nil }

  /// An input that has to be given.
  func required(_ index: Int) throws -> GraphValue {
    guard let value = input(index) else {
      throw Unsupported("its input \(index + 1) is missing; the file is damaged")
    }
    return value
  }

  /// The constant at a place; nothing if the input is left out.
  func constant(_ index: Int, _ what: String) throws -> Constant? {
    guard let value = input(index) else { return nil }
    guard case .constant(let constant) = value else {
      throw Unsupported("\(what) is computed from the sample, and has to be constant")
    }
    return constant
  }

  /// The numbers of a constant that has to be given.
  func numbers(_ index: Int, _ what: String) throws -> TensorRecipe {
    guard let constant = try constant(index, what) else { throw Unsupported("\(what) is missing") }
    guard let recipe = constant.recipe else {
      throw Unsupported("\(what) depends on the number of samples")
    }
    return recipe
  }

  /// The whole numbers of a constant; nothing if the input is left out.
  func integers(_ index: Int, _ what: String) throws -> [Int]? {
    guard let constant = try constant(index, what) else { return nil }
    guard let counts = constant.counts else { throw Unsupported("\(what) are not whole numbers") }
    return try counts.map { count in
      guard let known = count.known else {
        throw Unsupported("\(what) depend on the number of samples")
      }
      return known
    }
  }

  // MARK: Attributes

  private func attribute(_ name: String) throws -> ONNXAttribute? {
    guard let attribute = node.attributes[name] else { return nil }
    guard !attribute.isReference else {
      throw Unsupported("its ‘\(name)’ is a function's argument")
    }
    return attribute
  }

  /// A whole number that the node may state.
  func integer(_ name: String) throws -> Int? { try attribute(name)?.integer }
  /// A whole number, or what stands for none.
  func integer(_ name: String, default value: Int) throws -> Int { try integer(name) ?? value }
  /// A number, or what stands for none.
  func float(_ name: String, default value: Float) throws -> Float {
    try attribute(name)?.float ?? value
  }
  /// A number that the node may state.
  func float(_ name: String) throws -> Float? { try attribute(name)?.float }
  /// Numbers that the node may state.
  func floats(_ name: String) throws -> [Float]? { try attribute(name)?.floats }
  /// Whole numbers that the node may state.
  func integers(_ name: String) throws -> [Int]? { try attribute(name)?.integers }
  /// A text that the node may state.
  func text(_ name: String) throws -> String? { try attribute(name)?.text }
  /// A tensor's index.
  func tensor(_ name: String) throws -> Int? { try attribute(name)?.tensor }
  /// A graph's index.
  func graph(_ name: String) throws -> Int? { try attribute(name)?.graph }

  /// The axes that are an attribute up to a version, and an input from it on.
  func axes(inputFrom version: Int, at index: Int = 1) throws -> [Int]? {
    self.version >= version
      ? try integers(index, "its axes") ?? integers("axes") : try integers("axes")
  }

  /// An axis from the front, of a value with so many.
  func axis(_ axis: Int, of rank: Int) throws -> Int {
    let found = axis < 0 ? axis + rank : axis
    guard (0..<rank).contains(found) else {
      throw Unsupported("its axis \(axis) is none of a value with \(rank) axes")
    }
    return found
  }
}
