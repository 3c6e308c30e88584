// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import PyTorchFormat

/// Instructions of pickles, as bytes.
enum Op {
  static let stop: [UInt8] = [0x2E]
  static let mark: [UInt8] = [0x28]
  static let tuple: [UInt8] = [0x74]
  static let emptyTuple: [UInt8] = [0x29]
  static let emptyDict: [UInt8] = [0x7D]
  static let emptyList: [UInt8] = [0x5D]
  static let setItem: [UInt8] = [0x73]
  static let append: [UInt8] = [0x61]
  static let reduce: [UInt8] = [0x52]
  static let build: [UInt8] = [0x62]
  static let persistent: [UInt8] = [0x51]
  static let none: [UInt8] = [0x4E]
  static let no: [UInt8] = [0x89]

  static func text(_ text: String) -> [UInt8] {
    [0x58] + little(UInt32(text.utf8.count)) + Array(text.utf8)
  }

  static func integer(_ value: Int) -> [UInt8] {
    (0..<256).contains(value) ? [0x4B, UInt8(value)] : [0x8A, 8] + little(Int64(value))
  }

  static func global(_ module: String, _ name: String) -> [UInt8] {
    [0x63] + Array("\(module)\n\(name)\n".utf8)
  }

  static func tuple(_ items: [[UInt8]]) -> [UInt8] { mark + items.flatMap(\.self) + tuple }

  static func integers(_ values: [Int]) -> [UInt8] { tuple(values.map(integer)) }

  /// A dictionary of one tensor after the other, as `torch.save` has it.
  static func dictionary(_ items: [(String, [UInt8])]) -> [UInt8] {
    [0x80, 2] + emptyDict + items.flatMap { text($0) + $1 + setItem } + stop
  }

  /// The id of a storage, and the instruction that turns it into one.
  static func storage(
    _ type: String = "FloatStorage", module: String = "torch", key: String = "0", count: Int
  ) -> [UInt8] {
    tuple([
      text("storage"), global(module, type), text(key), text("cpu"), integer(count),
    ]) + persistent
  }

  /// A tensor of a storage.
  static func tensor(
    _ storage: [UInt8], _ sizes: [Int], _ strides: [Int], offset: Int = 0
  ) -> [UInt8] {
    global("torch._utils", "_rebuild_tensor_v2")
      + tuple([
        storage, integer(offset), integers(sizes), integers(strides), no,
        global("collections", "OrderedDict") + emptyTuple + reduce,
      ]) + reduce
  }
}

extension Pickle {
  /// The value as Python would print it.
  var text: String { text(root, depth: 0) }

  private func text(_ value: PickleValue, depth: Int) -> String {
    guard depth < 20 else { return "…" }
    func list(_ items: [PickleValue]) -> String {
      items.map { text($0, depth: depth + 1) }.joined(separator: ", ")
    }
    switch value {
    case .none: return "None"
    case .bool(let value): return value ? "True" : "False"
    case .integer(let value): return "\(value)"
    case .long(let bytes): return "long\(bytes)"
    case .number(let value): return "\(value)"
    case .string(let text): return "'\(text)'"
    case .bytes(let bytes): return "b\(bytes)"
    case .list(let index): return "[\(list(lists[index]))]"
    case .tuple(let index): return "(\(list(tuples[index])))"
    case .dictionary(let index):
      let dictionary = dictionaries[index]
      let items = zip(dictionary.keys, dictionary.values).map {
        "\(text($0, depth: depth + 1)): \(text($1, depth: depth + 1))"
      }
      return "{\(items.joined(separator: ", "))}"
    case .storage(let index):
      let storage = storages[index]
      return
        "storage(\(storage.key), \(storage.elementType?.name ?? "bytes"), \(storage.count))"
    case .tensor(let index):
      let tensor = tensors[index]
      let key = storages[tensor.storage].key
      return "tensor(\(key), \(tensor.elementType.name), \(tensor.offset), \(tensor.sizes), "
        + "\(tensor.strides))"
    case .global(let name): return name
    case .numPyType(let index): return numPyTypes[index]
    case .object(let index): return "<\(objects[index])>"
    }
  }
}

/// A file of `torch.save` made by hand.
func torchFile(
  _ pickle: [UInt8], storages: [(String, [UInt8])] = [("0", [UInt8](repeating: 1, count: 24))],
  byteOrder: String? = "little", root: String = "archive"
) -> [UInt8] {
  var entries = [HandmadeZip.Entry("\(root)/data.pkl", pickle)]
  if let byteOrder { entries.append(.init("\(root)/byteorder", Array(byteOrder.utf8))) }
  entries += storages.map { .init("\(root)/data/\($0)", $1) }
  return HandmadeZip(entries: entries).bytes
}
