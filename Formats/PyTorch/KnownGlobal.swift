// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// The names that a pickle of tensors needs. They are told by their text; none is looked up.
enum KnownGlobal: Equatable {
  case orderedDictionary
  case size
  /// `_rebuild_tensor`, of storage, offset, sizes and strides.
  case tensor
  /// `_rebuild_tensor_v2`, which adds a flag and hooks.
  case tensorWithHooks
  /// `_rebuild_tensor_v3`, which adds the type of the elements to that.
  case tensorWithType
  /// `_rebuild_parameter` and `_rebuild_parameter_with_state`, of a tensor and more.
  case parameter
  case storage(ElementType?)
  case elementType(ElementType)
  /// A type of element that can't be read.
  case unsupportedType

  /// The meaning of a qualified name; nothing if it is refused.
  init?(_ name: String) {
    switch name {
    case "collections.OrderedDict": self = .orderedDictionary
    case "torch.Size": self = .size
    case "torch._utils._rebuild_tensor": self = .tensor
    case "torch._utils._rebuild_tensor_v2": self = .tensorWithHooks
    case "torch._utils._rebuild_tensor_v3": self = .tensorWithType
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
      self = .parameter
    case "torch.storage.UntypedStorage", "torch.UntypedStorage": self = .storage(nil)
    default:
      if let type = Self.storages[name] {
        self = .storage(type)
      } else if let type = Self.elementTypes[name] {
        self = .elementType(type)
      } else if Self.unsupported.contains(name) {
        self = .unsupportedType
      } else {
        return nil
      }
    }
  }

  private static let storages: [String: ElementType] = [
    "torch.DoubleStorage": .float64, "torch.FloatStorage": .float32,
    "torch.HalfStorage": .float16, "torch.BFloat16Storage": .bfloat16,
    "torch.LongStorage": .int64, "torch.IntStorage": .int32, "torch.ShortStorage": .int16,
    "torch.CharStorage": .int8, "torch.ByteStorage": .uint8, "torch.BoolStorage": .bool,
  ]

  private static let elementTypes: [String: ElementType] = [
    "torch.float64": .float64, "torch.double": .float64, "torch.float32": .float32,
    "torch.float": .float32, "torch.float16": .float16, "torch.half": .float16,
    "torch.bfloat16": .bfloat16, "torch.int64": .int64, "torch.long": .int64,
    "torch.int32": .int32, "torch.int": .int32, "torch.int16": .int16, "torch.short": .int16,
    "torch.int8": .int8, "torch.uint8": .uint8, "torch.bool": .bool,
  ]

  private static let unsupported: Set<String> = [
    "torch.ComplexFloatStorage", "torch.ComplexDoubleStorage", "torch.QInt8Storage",
    "torch.QUInt8Storage", "torch.QInt32Storage", "torch.QUInt4x2Storage",
    "torch.QUInt2x4Storage", "torch.complex32", "torch.complex64", "torch.complex128",
    "torch.uint16", "torch.uint32", "torch.uint64", "torch.float8_e4m3fn",
    "torch.float8_e4m3fnuz", "torch.float8_e5m2", "torch.float8_e5m2fnuz",
    "torch.float8_e8m0fnu", "torch.float4_e2m1fn_x2", "torch.qint8", "torch.quint8",
    "torch.qint32", "torch.quint4x2", "torch.quint2x4",
  ]
}
