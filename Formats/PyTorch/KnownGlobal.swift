// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// The names that a pickle of tensors needs. They are told by their text; none is looked up.
enum KnownGlobal: Equatable {
  case orderedDictionary
  /// `Counter`, of a dictionary.
  case counter
  /// `defaultdict`, of the class that makes what is missing.
  case defaultDictionary
  /// `set` and `frozenset`, of a list.
  case set
  /// `bytes` and `bytearray`, of nothing, or of a text and its encoding.
  case bytes
  /// `encode`, of a text and its encoding.
  case encoding
  /// A class that stands for itself, such as the one a `defaultdict` makes its values by.
  case plainClass
  case device
  /// `numpy.dtype`
  case numPyType
  /// `scalar`, of a type of NumPy's and bytes.
  case numPyScalar
  case size
  /// `_rebuild_tensor`, of storage, offset, sizes and strides.
  case tensor
  /// `_rebuild_tensor_v2`, which adds a flag and hooks.
  case tensorWithHooks
  /// `_rebuild_tensor_v3`, which adds the type of the elements to that.
  case tensorWithType
  /// `_rebuild_parameter` and `_rebuild_parameter_with_state`, of a tensor and more.
  case parameter
  /// `_rebuild_from_type_v2`, of one of these, a class, its arguments and attributes.
  case tensorOfClass
  /// A class of tensors that differs from others in nothing that is kept.
  case tensorClass
  case storage(PickledElementType?)
  case elementType(PickledElementType)
  /// A type of quantised elements, which need scales to say anything.
  case quantisedType

  /// The meaning of a qualified name; nothing if it is refused.
  init?(_ name: String) {
    switch name {
    case "collections.OrderedDict": self = .orderedDictionary
    case "collections.Counter": self = .counter
    case "collections.defaultdict": self = .defaultDictionary
    case "_codecs.encode": self = .encoding
    case "torch.device": self = .device
    case "numpy.dtype": self = .numPyType
    case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar": self = .numPyScalar
    case "torch.Size": self = .size
    case "torch._utils._rebuild_tensor": self = .tensor
    case "torch._utils._rebuild_tensor_v2": self = .tensorWithHooks
    case "torch._utils._rebuild_tensor_v3": self = .tensorWithType
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
      self = .parameter
    case "torch._tensor._rebuild_from_type_v2": self = .tensorOfClass
    case "torch.nn.parameter.Buffer", "torch.nn.parameter.Parameter", "torch.Tensor",
      "torch._tensor.Tensor":
      self = .tensorClass
    case "torch.storage.UntypedStorage", "torch.UntypedStorage": self = .storage(nil)
    default:
      if let type = Self.storages[name] {
        self = .storage(.known(type))
      } else if let (type, width) = Self.foreignStorages[name] {
        self = .storage(.foreign(type, width: width))
      } else if let type = Self.elementTypes[name] {
        self = .elementType(.known(type))
      } else if let width = Self.foreignTypes[name] {
        self = .elementType(.foreign(String(name.dropFirst("torch.".count)), width: width))
      } else if Self.quantised.contains(name) {
        self = .quantisedType
      } else if let own = Self.builtin(name) {
        self = own
      } else {
        return nil
      }
    }
  }

  /// Python's own classes, whose module goes by another name in protocol 2.
  private static func builtin(_ name: String) -> KnownGlobal? {
    let modules = ["builtins.", "__builtin__."]
    guard let module = modules.first(where: { name.hasPrefix($0) }) else { return nil }
    return switch name.dropFirst(module.count) {
    case "set", "frozenset": .set
    case "bytes", "bytearray": .bytes
    case "list", "dict", "tuple", "int", "float", "str", "bool": .plainClass
    default: nil
    }
  }

  /// Whether a call of it gives a tensor whose class may then be another.
  var makesTensor: Bool {
    [.tensor, .tensorWithHooks, .tensorWithType, .parameter].contains(self)
  }

  private static let storages: [String: ElementType] = [
    "torch.DoubleStorage": .float64, "torch.FloatStorage": .float32,
    "torch.HalfStorage": .float16, "torch.BFloat16Storage": .bfloat16,
    "torch.LongStorage": .int64, "torch.IntStorage": .int32, "torch.ShortStorage": .int16,
    "torch.CharStorage": .int8, "torch.ByteStorage": .uint8, "torch.BoolStorage": .bool,
    "torch.ComplexFloatStorage": .complex64,
  ]

  private static let elementTypes: [String: ElementType] = [
    "torch.float64": .float64, "torch.double": .float64, "torch.float32": .float32,
    "torch.float": .float32, "torch.float16": .float16, "torch.half": .float16,
    "torch.bfloat16": .bfloat16, "torch.int64": .int64, "torch.long": .int64,
    "torch.int32": .int32, "torch.int": .int32, "torch.int16": .int16, "torch.short": .int16,
    "torch.int8": .int8, "torch.uint8": .uint8, "torch.bool": .bool, "torch.uint16": .uint16,
    "torch.uint32": .uint32, "torch.uint64": .uint64, "torch.float8_e4m3fn": .float8E4M3,
    "torch.float8_e5m2": .float8E5M2, "torch.complex64": .complex64, "torch.cfloat": .complex64,
  ]

  private static let foreignStorages: [String: (name: String, width: Int)] = [
    "torch.ComplexDoubleStorage": ("complex128", 16)
  ]

  /// Types that can't be read, with the bytes of their elements.
  private static let foreignTypes: [String: Int] = [
    "torch.complex32": 4, "torch.complex128": 16, "torch.float8_e4m3fnuz": 1,
    "torch.float8_e5m2fnuz": 1, "torch.float8_e8m0fnu": 1, "torch.float4_e2m1fn_x2": 1,
  ]

  private static let quantised: Set<String> = [
    "torch.QInt8Storage", "torch.QUInt8Storage", "torch.QInt32Storage", "torch.QUInt4x2Storage",
    "torch.QUInt2x4Storage", "torch.qint8", "torch.quint8", "torch.qint32", "torch.quint4x2",
    "torch.quint2x4",
  ]
}
