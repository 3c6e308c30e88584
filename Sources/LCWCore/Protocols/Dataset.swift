// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// Labelled samples to train on and to test with, and what is known of them.
public protocol LabelledData: Sendable {
  /// The shape of one sample.
  var sampleShape: Shape { get }
  /// The number of classes.
  var classes: Int { get }
  /// What the classes are called, in their order; nothing where a class has no name but its number.
  var classNames: [String]? { get }
  /// What is done to the samples before a network sees them, as text for the record.
  var preprocessing: String { get }

  /// The samples of a split.
  /// - Throws: ``DataError`` if a file is missing or damaged.
  func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet
}

extension LabelledData {
  /// Numbers alone.
  public var classNames: [String]? { nil }
}

/// A data set whose samples' shape and classes are known before any of its files is opened.
public protocol Dataset: Plugin, LabelledData {}

/// A data set of files that its options name, which alone say how large samples are and which classes
/// there are.
public protocol FileDataset: Plugin {
  /// What is in the files.
  /// - Throws: ``DataError`` if a file is missing, damaged, or too large for the memory that may be
  ///   taken, and what opening a file throws.
  func data(in context: DataContext) throws -> any LabelledData
}

/// The part of a data set.
public enum DataSplit: String, Sendable, CaseIterable {
  /// What networks are trained on.
  case train
  /// What they are tested with.
  case test
}
