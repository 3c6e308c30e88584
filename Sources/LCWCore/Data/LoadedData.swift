// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A data set that was read from the files that its options name.
public struct LoadedData: LabelledData {
  /// The shape of one sample.
  public let sampleShape: Shape
  /// The number of classes.
  public let classes: Int
  /// What the classes are called; nothing where labels are the classes' numbers.
  public let classNames: [String]?
  /// What is done to the samples.
  public let preprocessing: String
  private let train: SampleSet
  private let test: SampleSet

  /// A data set from its parts.
  /// - Parameters:
  ///   - name: What to call the training samples in an error.
  ///   - test: Of the same shape and classes.
  ///   - normalisation: What is done to both; for the moments of the training samples these are given.
  ///   - value: What one raw value is called in the record, such as `pixel`.
  ///   - remark: What else was done, such as how the test samples were drawn.
  /// - Throws: ``DataError`` if the lengths do not agree, or moments are not finite.
  public init(
    name: String, sampleShape: Shape, classes: ClassList, train: RawSamples, test: RawSamples,
    normalisation: Normalisation, value: String, remark: String? = nil
  ) throws {
    self.sampleShape = sampleShape
    self.classes = classes.count
    classNames = classes.names
    preprocessing = ([normalisation.text(of: value)] + [remark].compactMap(\.self))
      .joined(separator: "; ")
    func set(_ samples: RawSamples) throws -> SampleSet {
      try SampleSet(
        name: name, sampleShape: sampleShape, classes: classes.count, labels: samples.labels,
        values: try normalisation.values(
          of: samples.values, sampleShape: sampleShape, name: name, training: { train.values }))
    }
    self.train = try set(train)
    self.test = try set(test)
  }

  /// The samples of a split; the locations are not looked at.
  public func samples(_ split: DataSplit, in locations: DataLocations) -> SampleSet {
    split == .train ? train : test
  }
}
