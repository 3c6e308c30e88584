// SPDX-License-Identifier: Apache-2.0

/// What a file of ONNX may hold at most: checked before memory is taken for it.
enum ONNXLimits {
  /// The nodes of all graphs.
  static let nodes = 1 << 16
  /// The tensors of all graphs.
  static let tensors = 1 << 16
  /// The inputs and outputs of all nodes.
  static let edges = 1 << 19
  /// The bytes of a name or a text.
  static let textBytes = 1 << 12
  /// The numbers of a list in an attribute.
  static let listCount = 1 << 16
  /// The attributes of a node.
  static let attributes = 256
  /// The dimensions of a tensor.
  static let rank = 16
  /// How deep graphs may stand in nodes of other graphs.
  static let graphDepth = 4
  /// The elements of constants that are computed at once while a graph is read.
  static let smallCount = 1 << 12
  /// The elements of all these constants.
  static let smallTotal = 1 << 22
  /// The steps from tensors of the file to one that is computed when it is asked for.
  static let recipeDepth = 64
  /// The elements of all these steps.
  static let recipeCost = 0x1p33
  /// The bytes of the metadata of a file that was written here.
  static let metadataBytes = 1 << 20
  /// The bytes of a file that is written: what protocol buffers allow.
  static let writtenBytes = (1 << 31) - 1
}
