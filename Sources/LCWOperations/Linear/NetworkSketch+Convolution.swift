// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

extension NetworkSketch {
  /// Appends a convolution with a square kernel of odd size, padded so that a stride of 1 keeps height and
  /// width.
  /// - Parameters:
  ///   - filters: The number of filters.
  ///   - size: The height and width of a filter: 1, 3, 5, ….
  ///   - stride: The step between neighbouring positions.
  ///   - groups: Into how many equal parts channels and filters are divided.
  ///   - bias: Whether each filter adds a bias.
  ///   - name: The node's name.
  ///   - input: What it reads; ``LCWCore/NetworkSketch/last`` if nothing is said.
  /// - Returns: What it computes.
  @discardableResult
  public mutating func appendConvolution(
    _ filters: Int, size: Int, stride: Int = 1, groups: Int = 1, bias: Bool,
    named name: String, reading input: Network.Value? = nil
  ) -> Network.Value {
    append(
      .convolution(
        .init(
          filters: filters, kernel: [size, size], strides: [stride, stride],
          padding: ImagePadding(size / 2), groups: groups, bias: bias)),
      named: name, reading: input ?? last)
  }
}
