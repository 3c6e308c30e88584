// SPDX-License-Identifier: Apache-2.0

/// Accuracies that were published, in percent, each with its deviation if that was.
public struct PublishedFigures: Sendable, Hashable {
  /// A mean and its deviation.
  public struct Figure: Sendable, Hashable {
    /// The mean, in percent.
    public var mean: Double
    /// The deviation, in percent.
    public var deviation: Double?

    /// The figure as it is printed: `98.76 ± 0.01`.
    public var text: String { deviation.map { "\(mean) ± \($0)" } ?? "\(mean)" }
  }

  /// On the training samples.
  public var train: Figure?
  /// On the test samples.
  public var test: Figure?
}
