// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics

/// Finds arrays in files and reads them.
struct ArrayReader {
  var context: DataContext
  var memory: DataMemory
  /// The names that the user gave; empty for the usual ones.
  var samplesName: String
  var labelsName: String
  var sampleShape: Shape?
  var areChannelsLast: Bool
  /// Whether floats are changed, for which there are two copies for a while.
  var isNormalised: Bool

  /// The samples and labels of a split.
  func part(_ split: DataSplit, samples: FileName, labels: FileName) throws -> ArrayPart {
    let (file, source) = try open(samples)
    let labelsAreApart = !labels.text.isEmpty
    let entry = try find(
      .samples, split, in: source, file: file, given: samplesName, isAlone: labelsAreApart)
    let (labelsFile, labelsSource) = labelsAreApart ? try open(labels) : (file, source)
    let labelEntry = try find(
      .labels, split, in: labelsSource, file: labelsFile, given: labelsName,
      isAlone: labelsAreApart)
    let place = Place(file: file, tensor: entry.name)
    let shape = try shapes(of: entry, at: place)
    try requireMemory(for: entry, count: shape.count, at: place)
    let values = try values(of: source.tensor(named: entry.name), shape.stored, at: place)
    let numbers = try labelNumbers(
      labelEntry, of: labelsSource, count: shape.count,
      at: Place(file: labelsFile, tensor: labelEntry.name))
    return ArrayPart(
      samplesFile: file, samplesName: entry.name, labelsFile: labelsFile, sampleShape: shape.sample,
      numbers: numbers,
      samples: RawSamples(values: values, labels: []))
  }

  /// Whether a file of training samples has test samples beside them, such as `x_test`.
  func hasTestSamples(_ file: FileName) throws -> Bool {
    guard samplesName.isEmpty, labelsName.isEmpty else { return false }
    let names = try names(in: open(file).source)
    return !ArrayRole.samples.specific(among: names, for: .test).isEmpty
  }

  private func open(_ name: FileName) throws -> (file: String, source: any CheckpointSource) {
    let url = try context.file(name)
    guard let open = context.open else {
      throw DataError.damaged(file: url.path, reason: "there is nothing that opens files of arrays")
    }
    return (name.text, try open(url))
  }

  private func names(in source: any CheckpointSource) -> [String] {
    source.entries.map(\.name) + source.unreadable.map(\.name)
  }

  /// The array of a role: that of the given name, else of a usual name, else the only one.
  private func find(
    _ role: ArrayRole, _ split: DataSplit, in source: any CheckpointSource, file: String,
    given: String, isAlone: Bool
  ) throws -> TensorEntry {
    let names = names(in: source)
    let name: String
    if !given.isEmpty, names.contains(given) {
      name = given
    } else if isAlone, names.count == 1 {
      name = names[0]
    } else if !given.isEmpty {
      throw DataError.damaged(
        file: file,
        reason: "there is no array ‘\(given)’, which \(role.rawValue)= names; \(list(names))")
    } else {
      let found = role.candidates(among: names, for: split)
      if role == .samples, names.count == 1, found.isEmpty {
        throw DataError.damaged(
          file: file,
          reason:
            "it has one array and no labels beside it; name the file of the labels with "
            + "\(split.rawValue)-labels=")
      }
      guard found.count == 1 else {
        let problem =
          found.isEmpty
          ? "no array has a usual name of \(role.rawValue), such as \(role.usualNames[0])"
          : "\(found.map { "‘\($0.asOneLine)’" }.joined(separator: " and ")) may be the "
            + role.rawValue
        let advice =
          role == .labels && names.count == 1
          ? "; name the file of the labels with \(split.rawValue)-labels="
          : "; name one with \(role.rawValue)="
        throw DataError.damaged(file: file, reason: "\(problem); \(list(names))\(advice)")
      }
      name = found[0]
    }
    guard let entry = source.entries.first(where: { $0.name == name }) else {
      if role == .labels, let unreadable = source.unreadable.first(where: { $0.name == name }) {
        throw Place(file: file, tensor: name).error(
          "its elements are of type ‘\(unreadable.type.asOneLine)’, but labels are whole numbers "
            + "here; of words, names, y = np.unique(y, return_inverse=True) makes them")
      }
      // Its type can't be read, and the reader says why.
      _ = try source.tensor(named: name)
      throw CheckpointError.missingTensor(name, nearest: nil)
    }
    return entry
  }

  private func list(_ names: [String]) -> String {
    let shown = names.prefix(12).map(\.asOneLine) + (names.count > 12 ? ["…"] : [])
    return names.isEmpty ? "it has no arrays" : "it has \(shown.joined(separator: ", "))"
  }

  /// The samples' number, the shape in which a sample is stored and the one that it gets.
  private func shapes(
    of entry: TensorEntry, at place: Place
  ) throws(DataError) -> (count: Int, stored: Shape, sample: Shape) {
    guard let count = entry.shape.dimensions.first else {
      throw place.error("it is a single number, not samples behind one another")
    }
    guard count > 0 else { throw place.error("it has no samples: its shape is \(entry.shape)") }
    let sizes = Array(entry.shape.dimensions.dropFirst())
    let stored = sizes.isEmpty ? [1] : Shape(sizes)
    guard stored.count > 0 else { throw place.error("its samples have no values: \(entry.shape)") }
    var sample = stored
    if areChannelsLast {
      guard stored.rank == 3 else {
        throw place.error(
          "channels=last is for images of rows, columns and channels, but its samples are \(stored)"
        )
      }
      sample = [stored[2], stored[0], stored[1]]
    }
    if let wanted = sampleShape {
      guard wanted.count == stored.count else {
        throw place.error(
          "shape= says samples of \(wanted.count) values, but they are \(stored), of \(stored.count)"
        )
      }
      sample = wanted
    }
    return (count, stored, sample)
  }

  private func requireMemory(for entry: TensorEntry, count: Int, at place: Place) throws(DataError)
  {
    var bytes = Double(entry.shape.count) * Double(entry.elementType.width)
    if entry.elementType != .uint8 {
      // As the file has them, and as floats.
      bytes += Double(entry.shape.count) * (isNormalised ? 8 : 4)
    } else if areChannelsLast {
      bytes *= 2
    }
    let values = entry.shape.count / count
    try memory.require(
      bytes, file: place.text,
      content: "\(count) samples of \(values) \(entry.elementType.rawValue)")
  }

  private func values(
    of tensor: StoredTensor, _ stored: Shape, at place: Place
  ) throws(DataError) -> RawValues {
    if tensor.elementType == .uint8 {
      return .bytes(areChannelsLast ? planes(of: tensor.bytes, stored) : tensor.bytes)
    }
    guard tensor.elementType != .complex64 else {
      throw place.error("its elements are complex numbers (c64), which no sample has")
    }
    let floats = tensor.floats.elements
    if let index = floats.firstIndex(where: { !$0.isFinite }) {
      let value = floats[index].isNaN ? "not a number" : "infinite in single precision"
      throw place.error(
        "value \(index % stored.count) of sample \(index / stored.count) is \(value)")
    }
    return .floats(areChannelsLast ? planes(of: floats, stored) : floats)
  }

  /// Images of rows, columns and channels as channels, rows and columns.
  private func planes<Value>(of values: [Value], _ stored: Shape) -> [Value] {
    let (pixels, channels) = (stored[0] * stored[1], stored[2])
    var planes = values
    for start in stride(from: 0, to: values.count, by: pixels * channels) {
      for channel in 0..<channels {
        for pixel in 0..<pixels {
          planes[start + channel * pixels + pixel] = values[start + pixel * channels + channel]
        }
      }
    }
    return planes
  }

  /// The labels as whole numbers.
  private func labelNumbers(
    _ entry: TensorEntry, of source: any CheckpointSource, count: Int, at place: Place
  ) throws -> [Int64] {
    let sizes = entry.shape.dimensions
    guard let found = sizes.first, sizes.dropFirst().allSatisfy({ $0 == 1 }) else {
      let hint =
        sizes.count == 2
        ? "; of rows with a 1 at the class, keep the class's number, as argmax tells it" : ""
      throw place.error(
        "labels are one number for each sample, but its shape is \(entry.shape)\(hint)")
    }
    guard found == count else {
      throw place.error("it has \(found) labels, but there are \(count) samples")
    }
    try memory.require(
      Double(count) * Double(entry.elementType.width + 16), file: place.text,
      content: "\(count) labels")
    let numbers = try source.tensor(named: entry.name).doubles
    return try numbers.enumerated().map { index, value throws(DataError) in
      guard value == value.rounded() else {
        throw place.error("label \(value) of sample \(index) is not a whole number")
      }
      // Beyond, neighbouring whole numbers become one.
      guard abs(value) < 0x1p53 else {
        throw place.error(
          "label \(value) of sample \(index) is too large; a label is within ±9007199254740991")
      }
      return Int64(value)
    }
  }
}

/// An array of a file, as messages name it.
struct Place {
  var file: String
  var tensor: String

  var text: String { "\(file), array ‘\(tensor.asOneLine)’" }

  func error(_ reason: String) -> DataError { .damaged(file: text, reason: reason) }
}
