// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// The samples of a split with their labels as the file has them.
struct ArrayPart {
  var samplesFile: String
  /// The array that has the samples.
  var samplesName: String
  var labelsFile: String
  var sampleShape: Shape
  /// The labels of the file, one for each sample.
  var numbers: [Int64]
  /// The samples; their classes once these are known.
  var samples: RawSamples

  var areBytes: Bool {
    if case .bytes = samples.values { true } else { false }
  }

  /// Tells the classes from the labels, and each sample's.
  mutating func takeClasses(_ collector: LabelCollector) throws(DataError) -> ClassList {
    var collector = collector
    do throws(LabelProblem) {
      var places: [Int32] = []
      places.reserveCapacity(numbers.count)
      for (index, number) in numbers.enumerated() {
        places.append(try collector.number(of: number, at: index))
      }
      let (classes, classOfLabel) = try collector.classes()
      samples.labels = places.map { classOfLabel[Int($0)] }
      return classes
    } catch {
      let place = error.place.map { "sample \($0): " } ?? ""
      throw .damaged(file: labelsFile, reason: place + error.reason)
    }
  }

  /// Each sample's class, of classes that are known.
  func labels(as classes: ClassList) throws(DataError) -> [Int32] {
    var known: [Int64: Int32] = [:]
    return try numbers.enumerated().map { index, number throws(DataError) in
      if let found = known[number] { return found }
      guard let found = classes.classNumber(of: Array("\(number)".utf8)) else {
        throw .damaged(
          file: labelsFile,
          reason:
            "label \(number) of sample \(index) does not occur in the training set, whose classes are "
            + classes.text)
      }
      known[number] = found
      return found
    }
  }

  /// Requires another part to have samples of the same shape and kind.
  func requireLike(_ train: ArrayPart) throws(DataError) {
    guard sampleShape == train.sampleShape else {
      if samplesFile == train.samplesFile {
        throw .damaged(
          file: samplesFile,
          reason: "the samples of ‘\(samplesName.asOneLine)’ are \(sampleShape), but those of "
            + "‘\(train.samplesName.asOneLine)’ are \(train.sampleShape)")
      }
      throw .damaged(
        file: samplesFile,
        reason: "its samples are \(sampleShape), but those of \(train.samplesFile) are "
          + "\(train.sampleShape)")
    }
    guard areBytes == train.areBytes else {
      throw .damaged(
        file: samplesFile,
        reason: "its samples are \(areBytes ? "bytes" : "no bytes"), unlike those of "
          + "\(train.samplesFile); give both one type")
    }
  }
}
