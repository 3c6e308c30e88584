// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// What can be wrong with a file of ONNX.
public enum ONNXError: DescribedError, Hashable {
  /// The bytes are not a message of the format.
  case damaged(file: String, Damage)
  /// What the model says can't be.
  case model(file: String, reason: String)
  /// A tensor is wrong.
  case tensor(file: String, tensor: String, reason: String)
  /// Nodes whose operators no network of lcw's has.
  case unsupported(file: String, [UnsupportedNode])

  /// What is wrong with the bytes.
  public enum Damage: Sendable, Hashable {
    /// They end within a number.
    case ends
    /// A tag is none.
    case tag
    /// A number has more than 64 bits.
    case number
    /// A length is beyond the message's end.
    case length(UInt64)
    /// A field is of another type.
    case type(field: Int)
    /// A text is not UTF-8, or takes too long to compare.
    case text
    /// A text is too long.
    case longText(Int)
    /// A list is too long.
    case longList

    fileprivate var reason: String {
      switch self {
      case .ends: "it ends in the middle of a field"
      case .tag: "a field has a tag that none can have"
      case .number: "a number has more than 64 bits"
      case .length(let length): "a field of \(length) bytes does not fit where it stands"
      case .type(let field): "the field \(field) of a message is of another type than in ONNX"
      case .text: "a text is not UTF-8, or has more than 30 combining marks in a row"
      case .longText(let count):
        "a name or text has \(count) bytes; \(ONNXLimits.textBytes) are accepted"
      case .longList: "a list has more than the \(ONNXLimits.listCount) numbers that are accepted"
      }
    }
  }

  /// A node that has no counterpart, and why.
  public struct UnsupportedNode: Sendable, Hashable {
    /// The operator, such as `Resize`.
    public var type: String
    /// The node's name, or that of its first output.
    public var name: String
    /// What is in the way, and what to do.
    public var reason: String
  }

  /// Wrong data.
  public var category: ErrorCategory { .data }

  /// One line with the file and the reason.
  public var description: String { text.asOneLine }

  private var text: String {
    switch self {
    case .damaged(let file, let damage):
      "\(file) is not a whole file of ONNX: \(damage.reason)"
    case .model(let file, let reason): "\(file): \(reason)"
    case .tensor(let file, let tensor, let reason):
      "\(file): the tensor ‘\(tensor)’ can't be read: \(reason)"
    case .unsupported(let file, let nodes):
      "\(file) has \(nodes.count == 1 ? "a node" : "\(nodes.count) nodes") without a counterpart here: "
        + ONNXError.list(nodes)
        + "; replace \(nodes.count == 1 ? "it" : "them") in the model and export it again (lcw plugins "
        + "operation lists what there is), or give the weights alone, as a state dict, with --architecture"
    }
  }

  /// The nodes by operator and reason, a few names each.
  private static func list(_ nodes: [UnsupportedNode]) -> String {
    var groups: [(type: String, reason: String, names: [String])] = []
    for node in nodes {
      if let index = groups.firstIndex(where: { $0.type == node.type && $0.reason == node.reason })
      {
        groups[index].names.append(node.name)
      } else {
        groups.append((node.type, node.reason, [node.name]))
      }
    }
    let shown = groups.prefix(12).map { group in
      let names = group.names.prefix(3).map { "‘\($0)’" }.joined(separator: ", ")
      let more = group.names.count > 3 ? " and \(group.names.count - 3) more" : ""
      return "\(group.type) \(names)\(more) (\(group.reason))"
    }
    return shown.joined(separator: ", ")
      + (groups.count > 12 ? " and nodes of \(groups.count - 12) more kinds" : "")
  }
}
