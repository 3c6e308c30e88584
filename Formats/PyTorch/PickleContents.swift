// SPDX-License-Identifier: Apache-2.0
import LCWCore

/// The tensors and the plain values of a pickle under the names that lead to them.
struct PickleContents {
  /// A tensor's name and its number in the pickle.
  struct Found {
    var name: String
    var tensor: Int
  }

  private(set) var tensors: [Found] = []
  private(set) var metadata: [String: JSONValue] = [:]
  /// What was left out.
  private(set) var notes: [String] = []

  /// The objects that were found under a name.
  private var objectCount = 0
  private let pickle: Pickle
  private let file: String
  private var visits = 0
  private var names: Set<[UInt8]> = []
  private var metadataBytes = 0

  /// The deepest nesting that is accepted.
  static let depthLimit = 64
  /// The most values that are looked at; those that are shared count each time.
  static let visitLimit = 1 << 22
  /// The most tensors, and the most bytes of a name.
  static let tensorLimit = 1 << 17
  static let nameLimit = 512
  /// The most objects that are named in the notes.
  static let notesLimit = 100
  /// The most values of metadata and their bytes, the most items of a list among them, and the
  /// most bytes of a text.
  static let metadataLimit = 1024
  static let metadataBytesLimit = 1 << 19
  static let listLimit = 256
  static let textLimit = 4096

  /// - Throws: ``PyTorchError``.
  init(_ pickle: Pickle, file: String) throws(PyTorchError) {
    self.pickle = pickle
    self.file = file
    if case .tensor(let index) = pickle.root {
      tensors = [Found(name: "tensor", tensor: index)]
      return
    }
    if case .object(let index) = pickle.root {
      throw .pickle(file: file, .object(pickle.objects[index]))
    }
    guard isContainer(pickle.root) else {
      throw .notPyTorch(file: file, reason: "it holds a single value, not tensors")
    }
    try visit(pickle.root, path: "", depth: 0)
    // What could be meant by the file is then in the objects.
    if tensors.isEmpty, let first = pickle.objects.first {
      throw .pickle(file: file, .object(first))
    }
    if objectCount > Self.notesLimit {
      notes.append("\(objectCount - Self.notesLimit) more objects are left out")
    }
    let lost = pickle.tensors.count - Set(tensors.map(\.tensor)).count
    if !pickle.objects.isEmpty, lost > 0 {
      notes.append("\(lost) \(lost == 1 ? "tensor is" : "tensors are") left out with the objects")
    }
  }

  private mutating func addObject(_ index: Int, path: String?) {
    objectCount += 1
    guard objectCount <= Self.notesLimit else { return }
    let name = path.map { "‘\($0.asOneLine)’" } ?? "a value without a name"
    notes.append("\(name) is left out: it is an object of \(pickle.objects[index]), and not built")
  }

  private func isContainer(_ value: PickleValue) -> Bool {
    switch value {
    case .list, .tuple, .dictionary: true
    default: false
    }
  }

  /// - Parameter path: The keys that lead to the value; nothing if one has no text or they are too long.
  private mutating func visit(
    _ value: PickleValue, path: String?, depth: Int
  ) throws(PyTorchError) {
    visits += 1
    guard visits <= Self.visitLimit, depth <= Self.depthLimit else {
      throw .tooLarge(
        file: file,
        reason: "it has more than \(Self.visitLimit) values, or is nested deeper than "
          + "\(Self.depthLimit)")
    }
    switch value {
    case .tensor(let index): try add(index, path: path)
    case .storage:
      throw .tensor(
        file: file, tensor: path ?? "?",
        reason: "it is a storage without a shape; save a tensor")
    case .list(let index):
      try visitItems(pickle.lists[index], path: path, depth: depth)
    case .tuple(let index):
      try visitItems(pickle.tuples[index], path: path, depth: depth)
    case .dictionary(let index):
      let dictionary = pickle.dictionaries[index]
      for (key, value) in zip(dictionary.keys, dictionary.values) {
        try visit(value, path: name(of: key, in: path, depth: depth), depth: depth + 1)
      }
    case .object(let index): addObject(index, path: path)
    case .none, .bool, .integer, .long, .number, .string, .bytes, .global, .numPyType:
      if let plain = plain(value) { add(plain, path: path) }
    }
  }

  private mutating func visitItems(
    _ items: [PickleValue], path: String?, depth: Int
  ) throws(PyTorchError) {
    let values = items.count <= Self.listLimit ? items.compactMap(plain) : []
    if !items.isEmpty, values.count == items.count {
      visits += items.count
      add(.array(values), path: path)
      return
    }
    // The numbers of a long list do not fit the metadata.
    let isLong = items.count > Self.listLimit
    for (index, item) in items.enumerated() where !isLong || plain(item) == nil {
      try visit(item, path: name(of: .integer(index), in: path, depth: depth), depth: depth + 1)
    }
  }

  private mutating func add(_ tensor: Int, path: String?) throws(PyTorchError) {
    guard let name = path else {
      throw .tensor(
        file: file, tensor: "?",
        reason: "a key that leads to it is neither a text nor an integer, or its name has more "
          + "than \(Self.nameLimit) bytes; save it under a text")
    }
    guard tensors.count < Self.tensorLimit else {
      throw .tooLarge(file: file, reason: "it has more than \(Self.tensorLimit) tensors")
    }
    guard names.insert(Array(name.utf8)).inserted else {
      throw .tensor(file: file, tensor: name, reason: "two tensors have this name")
    }
    tensors.append(Found(name: name, tensor: tensor))
  }

  private mutating func add(_ value: JSONValue, path: String?) {
    guard let path, metadata.count < Self.metadataLimit else { return }
    let bytes = path.utf8.count + size(of: value)
    guard metadataBytes + bytes <= Self.metadataBytesLimit else { return }
    metadataBytes += bytes
    metadata[path] = value
  }

  /// About the bytes that a value takes.
  private func size(of value: JSONValue) -> Int {
    if let items = value.array { return items.reduce(0) { $0 + size(of: $1) } }
    return value.string?.utf8.count ?? 8
  }

  /// The name of what a key leads to; nothing if the key has no text or the name is too long.
  private func name(of key: PickleValue, in path: String?, depth: Int) -> String? {
    guard let path else { return nil }
    let text: String
    switch key {
    case .string(let key): text = key
    case .integer(let number): text = "\(number)"
    default: return nil
    }
    guard path.utf8.count + text.utf8.count < Self.nameLimit else { return nil }
    return depth == 0 ? text : "\(path).\(text)"
  }

  /// The value in metadata, if it is one that fits.
  private func plain(_ value: PickleValue) -> JSONValue? {
    switch value {
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value): JSONValue(value)
    case .string(let text) where text.utf8.count <= Self.textLimit: .string(text)
    case .global(let name): .string(name)
    case .numPyType(let index): .string(pickle.numPyTypes[index])
    default: nil
    }
  }
}
