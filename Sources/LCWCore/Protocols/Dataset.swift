// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// Labelled samples to train on and to test with.
public protocol Dataset: Plugin {
  /// The shape of one sample.
  var sampleShape: Shape { get }
  /// The number of classes.
  var classes: Int { get }
  /// What is done to the samples before a network sees them, as text for the record.
  var preprocessing: String { get }

  /// The samples of a split.
  /// - Throws: ``DataError`` if a file is missing or damaged.
  func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet
}

/// The part of a data set.
public enum DataSplit: String, Sendable, CaseIterable {
  /// What networks are trained on.
  case train
  /// What they are tested with.
  case test
}
