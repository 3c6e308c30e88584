// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// A model as its file has it, without the elements of its tensors.
struct ONNXModel {
  var irVersion = 0
  var producer = ""
  var producerVersion = ""
  /// The version of the operators of each domain; the usual one has no name.
  var operatorSets: [String: Int] = [:]
  var graph: ONNXGraph?
  /// The graphs that nodes hold; these have indices into it.
  var graphs: [ONNXGraph] = []
  /// The tensors of all graphs and nodes; these have indices into it.
  var tensors: [ONNXTensor] = []
  /// The metadata of a file that was written here, as JSON.
  var metadata: [UInt8] = []
  /// The functions that the model defines for itself, by domain and name.
  var functionCount = 0

  /// The version of the usual operators.
  var operatorSet: Int { operatorSets[""] ?? operatorSets["ai.onnx"] ?? 0 }
}

/// A graph of nodes.
struct ONNXGraph {
  var nodes: [ONNXNode] = []
  /// The indices of the tensors that are there from the start.
  var initializers: [Int] = []
  var inputs: [ONNXValueInfo] = []
  var outputs: [ONNXValueInfo] = []
}

/// The name of a value, and its shape where the file says it.
struct ONNXValueInfo {
  /// A size: a number, or a word that stands for one, or nothing.
  enum Size: Hashable {
    case known(Int)
    case symbol(String)
  }

  var name = ""
  /// The elements' type by its number; 0 if it is not said.
  var elementType = 0
  /// The sizes; nothing if the shape is not said.
  var sizes: [Size]?
}

/// One application of an operator.
struct ONNXNode {
  var type = ""
  var domain = ""
  var name = ""
  var inputs: [String] = []
  var outputs: [String] = []
  var attributes: [String: ONNXAttribute] = [:]

  /// What messages call it.
  var label: String { name.isEmpty ? outputs.first { !$0.isEmpty } ?? "" : name }
}

/// What is said of a node beside its inputs.
struct ONNXAttribute {
  var float: Float?
  var integer: Int?
  var text: String?
  /// The index of a tensor.
  var tensor: Int?
  /// The index of a graph.
  var graph: Int?
  var floats: [Float] = []
  var integers: [Int] = []
  /// Whether it stands for an argument of a function.
  var isReference = false
}

/// A tensor's description and where its elements are.
struct ONNXTensor: Sendable {
  /// Where elements lie.
  enum Place: Sendable {
    /// In the file, little-endian.
    case raw(Range<Int>)
    /// In a field of the file, in one or several parts.
    case typed(TypedField, [Range<Int>])
    /// In another file beside it.
    case external(name: String, offset: Int, length: Int?)
  }

  /// A field with elements of a type, by its number.
  enum TypedField: Int, Sendable {
    case float = 4
    case int32 = 5
    case int64 = 7
    case double = 10
    case uint64 = 11
  }

  var name = ""
  var type: ElementType
  var shape: Shape
  var place: Place
}
