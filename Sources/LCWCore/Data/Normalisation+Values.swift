// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// Samples' values as a file has them, one sample after the other.
public enum RawValues: Sendable {
  /// Bytes, such as pixels.
  case bytes([UInt8])
  /// Floats.
  case floats([Float])
}

extension Normalisation {
  /// The values that networks see. Bytes stay bytes, with what turns them into floats; floats are
  /// computed in double precision.
  ///
  /// - Parameters:
  ///   - raw: A split's values as the file has them.
  ///   - sampleShape: The shape of one sample; its first size is the number of channels.
  ///   - name: What to call the training samples in an error.
  ///   - training: The training samples' raw values, which are asked for if their moments are needed.
  /// - Throws: ``DataError/damaged(file:reason:)`` if the training samples have no finite moments or a
  ///   value would not be finite, and what `training` throws.
  public func values(
    of raw: RawValues, sampleShape: Shape, name: String, training: () throws -> RawValues
  ) throws -> SampleSet.Values {
    let groups = try self.groups(sampleShape, name: name, training: training)
    switch raw {
    case .bytes(let bytes):
      let scalings = groups.map(\.byteScaling)
      // Bytes are looked at only where some byte would not be finite.
      guard scalings.allSatisfy({ $0.value(of: 0).isFinite && $0.value(of: 255).isFinite }) else {
        let size = max(1, sampleShape.count / groups.count)
        if let index = bytes.indices.first(where: {
          !scalings[$0 / size % groups.count].value(of: bytes[$0]).isFinite
        }) {
          throw infinite(
            Float(bytes[index]), groups[index / size % groups.count], at: index,
            sampleShape, name: name)
        }
        return .bytes(bytes, scalings)
      }
      return .bytes(bytes, scalings)
    case .floats(let floats):
      guard !isIdentity else { return .floats(floats) }
      let size = max(1, sampleShape.count / groups.count)
      var scaled = floats
      for start in stride(from: 0, to: floats.count, by: size) {
        let group = groups[start / size % groups.count]
        for index in start..<min(start + size, floats.count) {
          scaled[index] = group.value(of: floats[index])
          guard scaled[index].isFinite else {
            throw infinite(floats[index], group, at: index, sampleShape, name: name)
          }
        }
      }
      return .floats(scaled)
    }
  }

  /// The error for a value that would not be finite, which names the option that makes it so.
  private func infinite(
    _ raw: Float, _ group: Group, at index: Int, _ sampleShape: Shape, name: String
  ) -> DataError {
    let scaled = Double(raw) * group.scale.value
    let cause: String
    if !Float(scaled).isFinite {
      cause = "scale= multiplies it by \(group.scale.value)"
    } else if case .training = moments {
      cause = "standardise= divides it by the deviation \(group.deviation)"
    } else if !Float(scaled - group.mean).isFinite {
      cause = "mean= subtracts \(group.mean)"
    } else {
      cause = "deviation= divides it by \(group.deviation)"
    }
    let size = max(1, sampleShape.count)
    return .damaged(
      file: name,
      reason: "value \(index % size) of sample \(index / size) is \(raw) and would be infinite in "
        + "single precision: \(cause)")
  }

  /// Factors and summands: one for all values, one for each channel or one for each feature.
  private func groups(
    _ sampleShape: Shape, name: String, training: () throws -> RawValues
  ) throws -> [Group] {
    switch moments {
    case .given(let mean, let deviation):
      let count = max(scale.count, mean.count, deviation.count)
      return (0..<count).map {
        Group(
          scale: scale.cycled($0), mean: mean.cycled($0).value,
          deviation: deviation.cycled($0).value)
      }
    case .training(let grouping):
      var moments = SampleMoments(grouping, sampleShape: sampleShape)
      switch try training() {
      case .bytes(let bytes): moments.add(bytes)
      case .floats(let floats): moments.add(floats)
      }
      let (means, deviations) = (moments.mean, moments.deviation)
      let channelSize = max(1, means.count / max(1, sampleShape.rows))
      return try zip(means, deviations).enumerated().map { index, moments in
        guard moments.0.isFinite, moments.1.isFinite else {
          let group = grouping == .channel ? "channel" : "feature"
          throw DataError.damaged(
            file: name,
            reason:
              "\(group) \(index + 1) of the training samples has no finite mean and deviation, "
              + "which standardise=\(group) needs")
        }
        let scale = scale.cycled(index / channelSize)
        let deviation = moments.1 * abs(scale.value)
        // Where all training samples agree there is nothing to divide by; only the mean is subtracted.
        return Group(
          scale: scale, mean: moments.0 * scale.value, deviation: deviation == 0 ? 1 : deviation)
      }
    }
  }

  /// What one group of values is changed by.
  private struct Group {
    var scale: Fraction
    var mean: Double
    var deviation: Double

    // One rounding of each number; 1 / (255 · deviation) is how the factor was always computed.
    var byteScaling: SampleSet.ChannelScaling {
      SampleSet.ChannelScaling(
        scale: Float(scale.numerator / (scale.denominator * deviation)),
        offset: Float(-mean / deviation))
    }

    func value(of raw: Float) -> Float {
      Float((Double(raw) * scale.value - mean) / deviation)
    }
  }
}

extension SampleSet.ChannelScaling {
  /// What a byte becomes.
  fileprivate func value(of byte: UInt8) -> Float { Float(byte) * scale + offset }
}

extension [Fraction] {
  /// The number of a channel, where one number is for all.
  fileprivate func cycled(_ channel: Int) -> Fraction { self[count == 1 ? 0 : channel] }
}
