// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A value in a pickle. Those that hold others are numbers into the ``Pickle``, since Python's
/// containers can be shared and can contain themselves.
public enum PickleValue: Sendable, Hashable {
  /// `None`
  case none
  /// `True` or `False`
  case bool(Bool)
  /// An integer of up to 64 bits.
  case integer(Int)
  /// A larger one: its two's complement, little-endian.
  case long([UInt8])
  /// A floating-point number.
  case number(Double)
  /// A text.
  case string(String)
  /// Bytes.
  case bytes([UInt8])
  /// A list: see ``Pickle/lists``.
  case list(Int)
  /// A tuple: see ``Pickle/tuples``.
  case tuple(Int)
  /// A dictionary: see ``Pickle/dictionaries``.
  case dictionary(Int)
  /// A storage: see ``Pickle/storages``.
  case storage(Int)
  /// A tensor: see ``Pickle/tensors``.
  case tensor(Int)
  /// A class or a function by its name, such as `torch.float32`; it is never looked up.
  case global(String)
  /// A type of NumPy's: see ``Pickle/numPyTypes``.
  case numPyType(Int)
  /// An object of a class that is not known, which is not built: see ``Pickle/objects``.
  case object(Int)
}

/// The type of the elements in a pickle's storages and tensors.
public enum PickledElementType: Sendable, Hashable {
  /// One that can be read.
  case known(ElementType)
  /// One that can't, by the last part of its name in PyTorch, with the bytes of an element.
  case foreign(String, width: Int)

  /// The bytes of an element.
  public var width: Int {
    switch self {
    case .known(let type): type.width
    case .foreign(_, let width): width
    }
  }

  /// The type's name.
  public var name: String {
    switch self {
    case .known(let type): type.rawValue
    case .foreign(let name, _): name
    }
  }
}

/// A dictionary in a pickle.
public struct PickledDictionary: Sendable, Hashable {
  /// The keys, in the order in which they were first set.
  public private(set) var keys: [PickleValue] = []
  /// The value of each key; of one that was set again, the last.
  public private(set) var values: [PickleValue] = []
  /// Whether it is an `OrderedDict`, which alone may be given attributes.
  var isOrdered = false
  private var places: [Key: Int] = [:]

  /// What tells two keys apart in Python. Texts are compared by their bytes, and 1, 1.0 and `True`
  /// are one key.
  private enum Key: Hashable {
    case text(Bytes)
    case number(Double)
    case notANumber
    case name(Bytes)
    case other(PickleValue)

    init(_ value: PickleValue) {
      switch value {
      case .string(let text): self = .text(Bytes(text: text))
      case .bool(let value): self = .number(value ? 1 : 0)
      case .integer(let value):
        self = Double(exactly: value).map(Key.number) ?? .other(.integer(value))
      case .number(let value): self = value.isNaN ? .notANumber : .number(value)
      case .global(let name): self = .name(Bytes(text: name))
      default: self = .other(value)
      }
    }
  }

  /// A text that is compared by its bytes, without a copy of them.
  private struct Bytes: Hashable {
    var text: String

    static func == (a: Bytes, b: Bytes) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    func hash(into hasher: inout Hasher) {
      let isHashed: Void? = text.utf8.withContiguousStorageIfAvailable {
        hasher.combine(bytes: UnsafeRawBufferPointer($0))
      }
      if isHashed == nil { for byte in text.utf8 { hasher.combine(byte) } }
    }
  }

  /// Sets the value of a key.
  mutating func set(_ key: PickleValue, to value: PickleValue) {
    let identity = Key(key)
    if let place = places[identity] {
      values[place] = value
    } else {
      places[identity] = keys.count
      keys.append(key)
      values.append(value)
    }
  }
}

/// What a pickle says of the memory that tensors lie in.
public struct PickledStorage: Sendable, Hashable {
  /// The name of its bytes in the file.
  public let key: String
  /// The type of the elements; none if it is untyped, that is, made of bytes.
  public let elementType: PickledElementType?
  /// The number of elements.
  public let count: Int
}

/// What a pickle says of a tensor. Nothing of it is checked against the storage yet.
public struct PickledTensor: Sendable, Hashable {
  /// The storage: see ``Pickle/storages``.
  public let storage: Int
  /// The type of the elements.
  public let elementType: PickledElementType
  /// Where the first element is in the storage, in elements.
  public let offset: Int
  /// The dimensions.
  public let sizes: [Int]
  /// For each dimension, how far apart neighbours are, in elements.
  public let strides: [Int]
  /// Whether the elements are those of the storage with the other sign: PyTorch's negative bit.
  public let isNegated: Bool
  /// Whether they are the complex conjugates of those of the storage: PyTorch's conjugate bit.
  public let isConjugated: Bool
}

/// What a pickle may hold at most.
public struct PickleLimits: Sendable, Hashable {
  /// The most values on the stack at a time.
  public var stackDepth = 1 << 20
  /// The most open marks at a time.
  public var markDepth = 1 << 10
  /// The most values that are kept for later use.
  public var memoCount = 1 << 21
  /// The most lists, tuples, dictionaries, storages and tensors.
  public var containerCount = 1 << 21
  /// The most items of all lists and dictionaries together.
  public var itemCount = 1 << 22

  /// The usual limits.
  public init() {}
}
