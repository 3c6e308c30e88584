// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import Synchronization

/// A file of PyTorch whose pickle has been read and whose tensors have been checked against their
/// storages; the storages are read when a tensor is asked for.
final class PyTorchReader: CheckpointSource {
  private struct Record: Sendable {
    var key: String
    var elementType: ElementType
    var layout: StridedLayout
    var isNegated: Bool
    var isConjugated: Bool
    var isShared: Bool
  }

  /// The tensors, in the order of the pickle.
  let entries: [TensorEntry]
  let unreadable: [UnreadableTensor]
  let metadata: [String: JSONValue]
  let notes: [String]
  var hasChecksums: Bool? { storages.hasChecksums }

  private let file: String
  private let storages: any StorageBytes
  private let records: [[UInt8]: Record]
  /// Storages that were read, of those that several tensors share.
  private let shared = Mutex(SharedStorages())

  /// The most bytes of a tensor that repeats elements, so that it has more than its storage.
  static let repetitionLimit = 1 << 30

  /// - Throws: ``PyTorchError``.
  init(pickle: Pickle, storages: any StorageBytes, file: String) throws(PyTorchError) {
    let contents = try PickleContents(pickle, file: file)
    var users: [[UInt8]: Int] = [:]
    for found in contents.tensors {
      users[Array(pickle.storages[pickle.tensors[found.tensor].storage].key.utf8), default: 0] += 1
    }
    var entries: [TensorEntry] = []
    var unreadable: [UnreadableTensor] = []
    var records: [[UInt8]: Record] = [:]
    for found in contents.tensors {
      let tensor = pickle.tensors[found.tensor]
      let storage = pickle.storages[tensor.storage]
      let size: Int
      let layout: StridedLayout
      do {
        size = try storage.checkedSize(in: storages)
        layout = try tensor.checkedLayout(storageSize: size)
      } catch {
        throw .tensor(file: file, tensor: found.name, reason: error.reason)
      }
      let storedBytes = min(size, layout.shape.count * tensor.elementType.width)
      guard case .known(let elementType) = tensor.elementType else {
        unreadable.append(
          UnreadableTensor(
            name: found.name, type: tensor.elementType.name, shape: layout.shape,
            storedBytes: storedBytes))
        continue
      }
      entries.append(
        TensorEntry(
          name: found.name, elementType: elementType, shape: layout.shape,
          storedBytes: storedBytes))
      records[Array(found.name.utf8)] = Record(
        key: storage.key, elementType: elementType, layout: layout, isNegated: tensor.isNegated,
        isConjugated: tensor.isConjugated,
        isShared: users[Array(storage.key.utf8), default: 0] > 1)
    }
    self.file = file
    self.entries = entries
    self.unreadable = unreadable
    self.records = records
    self.storages = storages
    metadata = contents.metadata
    notes = contents.notes
  }

  var kind: CheckpointKind { .checkpoint }

  func tensor(named name: String) throws -> StoredTensor {
    guard let record = records[Array(name.utf8)] else {
      if let refused = unreadable.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
        throw PyTorchError.unsupportedType(file: file, tensor: name, type: refused.type)
      }
      throw CheckpointError.missingTensor(
        name, nearest: nearestName(to: name, among: entries.map(\.name)))
    }
    let bytes = try record.layout.gathered(
      from: storageBytes(of: record), width: record.elementType.width)
    let tensor = try StoredTensor(
      elementType: record.elementType, shape: record.layout.shape, bytes: bytes)
    let resolved = try record.isConjugated ? tensor.conjugated() : tensor
    return try record.isNegated ? resolved.negated() : resolved
  }

  private func storageBytes(of record: Record) throws -> [UInt8] {
    guard record.isShared else { return try storages.bytes(of: record.key) }
    let key = Array(record.key.utf8)
    if let kept = shared.withLock({ $0.bytes(of: key) }) { return kept }
    let bytes = try storages.bytes(of: record.key)
    shared.withLock { $0.keep(bytes, of: key) }
    return bytes
  }
}

/// Why a tensor does not fit its storage.
private struct Misfit: Error {
  var reason: String
}

extension PickledStorage {
  /// The bytes of the storage, which must be as many as its elements need.
  fileprivate func checkedSize(in storages: any StorageBytes) throws(Misfit) -> Int {
    guard let size = storages.size(of: key) else {
      throw Misfit(reason: "there is no storage ‘\(key)’ in the file")
    }
    let (needed, overflow) = count.multipliedReportingOverflow(by: width)
    guard !overflow, needed == size else {
      throw Misfit(
        reason: "its storage has \(size) bytes, but \(count) elements of \(width) bytes are stated")
    }
    return size
  }
}

extension PickledTensor {
  /// The layout, which must lie in a storage of so many bytes.
  fileprivate func checkedLayout(storageSize: Int) throws(Misfit) -> StridedLayout {
    guard let shape = try? Shape(checking: sizes) else {
      throw Misfit(reason: "its shape \(sizes) is negative or too large")
    }
    guard let layout = StridedLayout(shape: shape, strides: strides, offset: offset) else {
      throw Misfit(
        reason: "its strides \(strides) and its offset \(offset) do not fit the shape \(sizes)")
    }
    let width = elementType.width
    guard shape.count == 0 || layout.extent.upperBound <= storageSize / width else {
      throw Misfit(
        reason: "it reaches to element \(layout.extent.upperBound) of a storage of "
          + "\(storageSize / width)")
    }
    let (bytes, overflow) = shape.count.multipliedReportingOverflow(by: width)
    guard !overflow, bytes <= max(storageSize, PyTorchReader.repetitionLimit) else {
      throw Misfit(
        reason: "it repeats the \(storageSize) bytes of its storage to more than "
          + "\(PyTorchReader.repetitionLimit)")
    }
    return layout
  }
}
