// SPDX-License-Identifier: Apache-2.0

/// What a pickle says, read without Python: plain data and tensors.
///
/// https://docs.python.org/3/library/pickletools.html lists the instructions of the little machine
/// that a pickle is a program for. Of these the ones are known that `torch.save` writes with the
/// protocols 2 to 5. Functions are never called: the few that make up a tensor, one of Python's
/// containers, a device or a scalar of NumPy's are recognised by their names and their arguments
/// taken as data. What else would make an object, such as of `argparse.Namespace` or of NumPy's
/// arrays, is kept by its name alone; names that run code or reach files are refused.
public struct Pickle: Sendable {
  /// The value that the pickle stands for.
  public let root: PickleValue
  /// The items of each list.
  public let lists: [[PickleValue]]
  /// The items of each tuple.
  public let tuples: [[PickleValue]]
  /// The dictionaries.
  public let dictionaries: [PickledDictionary]
  /// The storages.
  public let storages: [PickledStorage]
  /// The tensors.
  public let tensors: [PickledTensor]
  /// The types of NumPy's that scalars have, as `<f8`.
  public let numPyTypes: [String]
  /// The classes of the objects that are not built, or the functions that would make them.
  public let objects: [String]
  /// The position behind the pickle.
  public let end: Int

  /// Reads one pickle.
  /// - Parameters:
  ///   - bytes: Bytes that hold it, and perhaps more behind it.
  ///   - start: Where it starts.
  ///   - limits: What it may hold at most.
  /// - Throws: ``PickleError``.
  public init(
    parsing bytes: [UInt8], from start: Int = 0, limits: PickleLimits = PickleLimits()
  ) throws(PickleError) {
    var machine = Unpickler(reader: PickleReader(bytes, from: start), limits: limits)
    root = try machine.run()
    lists = machine.lists
    tuples = machine.tuples
    dictionaries = machine.dictionaries
    storages = machine.storages
    tensors = machine.tensors
    numPyTypes = machine.numPyTypes
    objects = machine.objects
    end = machine.reader.position
  }
}
