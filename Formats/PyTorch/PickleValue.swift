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
}

/// A dictionary in a pickle.
public struct PickledDictionary: Sendable, Hashable {
  /// The keys, in the order of the pickle; one that is set again stands twice.
  public internal(set) var keys: [PickleValue] = []
  /// The value of each key.
  public internal(set) var values: [PickleValue] = []
  /// Whether it is an `OrderedDict`, which alone may be given attributes.
  var isOrdered = false
}

/// What a pickle says of the memory that tensors lie in.
public struct PickledStorage: Sendable, Hashable {
  /// The name of its bytes in the file.
  public let key: String
  /// The type of the elements; none if it is untyped, that is, made of bytes.
  public let elementType: ElementType?
  /// The number of elements.
  public let count: Int
}

/// What a pickle says of a tensor. Nothing of it is checked against the storage yet.
public struct PickledTensor: Sendable, Hashable {
  /// The storage: see ``Pickle/storages``.
  public let storage: Int
  /// The type of the elements.
  public let elementType: ElementType
  /// Where the first element is in the storage, in elements.
  public let offset: Int
  /// The dimensions.
  public let sizes: [Int]
  /// For each dimension, how far apart neighbours are, in elements.
  public let strides: [Int]
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
