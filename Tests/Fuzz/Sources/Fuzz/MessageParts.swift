// SPDX-License-Identifier: Apache-2.0

/// A model of ONNX taken apart into its messages, so that a change within one mends the lengths of all around it.
struct MessageParts {
  /// What a field holds.
  private indirect enum Content {
    case number(UInt64)
    case fixed([UInt8])
    case bytes([UInt8])
    case message([Field], Kind)
  }

  private struct Field {
    var number: UInt64
    var content: Content
  }

  /// The messages that are taken apart.
  private enum Kind {
    case model, graph, node, attribute, tensor, value, type, tensorType, shape, size, operators,
      pair

    /// What a field of such a message is, if it is a message.
    func field(_ number: UInt64) -> Kind? {
      switch (self, number) {
      case (.model, 7), (.attribute, 6), (.attribute, 11): .graph
      case (.model, 8): .operators
      case (.model, 14), (.tensor, 13): .pair
      case (.graph, 1): .node
      case (.graph, 5), (.attribute, 5), (.attribute, 10): .tensor
      case (.graph, 11), (.graph, 12), (.graph, 13): .value
      case (.node, 5): .attribute
      case (.value, 2): .type
      case (.type, 1): .tensorType
      case (.tensorType, 2): .shape
      case (.shape, 1): .size
      default: nil
      }
    }
  }

  private var fields: [Field]

  /// Nothing unless the bytes are a message that starts as a model does.
  init?(_ bytes: [UInt8]) {
    guard bytes.count > 8, bytes[0] == 0x08, let fields = Self.fields(bytes[...], .model, depth: 0),
      fields.count > 1
    else { return nil }
    self.fields = fields
  }

  private static func fields(_ bytes: ArraySlice<UInt8>, _ kind: Kind, depth: Int) -> [Field]? {
    var rest = bytes
    var fields: [Field] = []
    while !rest.isEmpty {
      guard let tag = number(&rest), tag >> 3 > 0 else { return nil }
      let content: Content
      switch tag & 7 {
      case 0:
        guard let value = number(&rest) else { return nil }
        content = .number(value)
      case 1, 5:
        let count = tag & 7 == 1 ? 8 : 4
        guard rest.count >= count else { return nil }
        content = .fixed(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      case 2:
        guard let length = number(&rest), length <= UInt64(rest.count) else { return nil }
        let part = rest.prefix(Int(length))
        rest = rest.dropFirst(Int(length))
        if depth < 16, let inner = kind.field(tag >> 3),
          let parts = Self.fields(part, inner, depth: depth + 1)
        {
          content = .message(parts, inner)
        } else {
          content = .bytes(Array(part))
        }
      default: return nil
      }
      fields.append(Field(number: tag >> 3, content: content))
    }
    return fields
  }

  private static func number(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }

  // MARK: Changes

  /// Changes one field, wherever it stands.
  mutating func mutate(_ random: inout Random) {
    var texts: [[UInt8]] = []
    Self.collect(fields, &texts)
    Self.mutate(&fields, texts, &random)
  }

  /// The names and texts of a message.
  private static func collect(_ fields: [Field], _ texts: inout [[UInt8]]) {
    for field in fields {
      switch field.content {
      case .bytes(let bytes) where bytes.count <= 64: texts.append(bytes)
      case .message(let inner, _): collect(inner, &texts)
      default: break
      }
    }
  }

  private static func mutate(
    _ fields: inout [Field], _ texts: [[UInt8]], _ random: inout Random
  ) {
    guard !fields.isEmpty else { return }
    let index = random.below(fields.count)
    if case .message(var inner, let kind) = fields[index].content, random.below(8) > 0 {
      if inner.isEmpty { inner.append(Field(number: 1, content: .number(1))) }
      mutate(&inner, texts, &random)
      fields[index].content = .message(inner, kind)
      return
    }
    switch random.below(10) {
    case 0: fields.remove(at: index)
    case 1: fields.insert(fields[index], at: random.below(fields.count + 1))
    case 2: fields.swapAt(index, random.below(fields.count))
    case 3: fields[index].number = UInt64(1 + random.below(20))
    default:
      switch fields[index].content {
      case .number: fields[index].content = .number(numbers[random.below(numbers.count)])
      case .fixed(let bytes):
        let changed = mutatedBytes(bytes, maxSize: bytes.count)
        fields[index].content =
          .fixed(changed + [UInt8](repeating: 0, count: bytes.count - changed.count))
      case .bytes(let bytes):
        switch random.below(3) {
        case 0: fields[index].content = .bytes(mutatedBytes(bytes, maxSize: bytes.count + 16))
        case 1 where !texts.isEmpty:
          fields[index].content = .bytes(texts[random.below(texts.count)])
        default: fields[index].content = .bytes(Array(words[random.below(words.count)].utf8))
        }
      case .message: fields.remove(at: index)
      }
    }
  }

  private static let numbers: [UInt64] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 20, 21, 24, 64, 255, 4096, 65_537,
    1 << 31, 1 << 32, 1 << 40, 1 << 62, .max >> 1, .max, .max - 1, .max - 2, .max - 3,
  ]

  private static let words = [
    "Conv", "Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "Sum", "Concat", "Relu", "PRelu",
    "LeakyRelu", "Elu", "Clip", "Max", "Min", "Sigmoid", "Tanh", "Erf", "Exp", "Log", "Sqrt", "Abs",
    "Neg", "Reciprocal", "Softplus", "HardSigmoid", "HardSwish", "Gelu", "Swish", "Pow", "Softmax",
    "LogSoftmax", "BatchNormalization", "InstanceNormalization", "GroupNormalization",
    "LayerNormalization", "LRN", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool",
    "ReduceMean", "ReduceProd", "Identity", "Cast", "CastLike", "Dropout", "Flatten", "Reshape",
    "Squeeze", "Unsqueeze", "Transpose", "Pad", "Slice", "Constant", "ConstantOfShape", "Shape",
    "Size",
    "Range", "Gather", "Expand", "Where", "Equal", "Greater", "Less", "And", "Or", "Not", "Mod",
    "If",
    "axis", "axes", "perm", "pads", "strides", "dilations", "group", "kernel_shape", "auto_pad",
    "ceil_mode", "count_include_pad", "epsilon", "momentum", "alpha", "beta", "bias", "size",
    "num_groups",
    "transA", "transB", "to", "value", "value_int", "value_ints", "value_float", "keepdims", "min",
    "max",
    "mode", "ratio", "slope", "then_branch", "else_branch", "allowzero", "start", "end",
    "SAME_UPPER",
    "SAME_LOWER", "VALID", "tanh", "input", "x", "y", "location", "offset", "length", "../x",
  ]

  // MARK: The file

  /// The file.
  var bytes: [UInt8] { Self.bytes(fields) }

  private static func bytes(_ fields: [Field]) -> [UInt8] {
    var result: [UInt8] = []
    for field in fields {
      switch field.content {
      case .number(let value):
        append(field.number << 3, to: &result)
        append(value, to: &result)
      case .fixed(let bytes):
        append(field.number << 3 | (bytes.count == 8 ? 1 : 5), to: &result)
        result += bytes
      case .bytes(let bytes): appendBytes(bytes, field.number, to: &result)
      case .message(let inner, _): appendBytes(self.bytes(inner), field.number, to: &result)
      }
    }
    return result
  }

  private static func appendBytes(_ bytes: [UInt8], _ number: UInt64, to result: inout [UInt8]) {
    append(number << 3 | 2, to: &result)
    append(UInt64(bytes.count), to: &result)
    result += bytes
  }

  private static func append(_ value: UInt64, to result: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      result.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    result.append(UInt8(rest))
  }
}
