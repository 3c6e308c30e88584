// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Zeros around images, or channels of zeros before and behind: the shortcut without parameters around a
/// residual block that widens (He et al. 2016, option A) has the latter.
public struct Pad: NetworkOperation {
  /// `pad`
  public static let name = "pad"
  /// What it is.
  public static let summary = "zeros around images, or channels of zeros before and after"
  /// How it is written.
  public static let usage = "pad P|TOPxLEFTxBOTTOMxRIGHT, or pad channels BEFORExBEHIND"

  /// What is put around a value.
  public enum Zeros: Sendable, Hashable {
    /// Rows and columns around images.
    case around(ImagePadding)
    /// Channels before and behind.
    case channels(before: Int, behind: Int)
  }

  /// What is put around a value.
  public var zeros: Zeros

  /// The padding.
  public init(_ zeros: Zeros) {
    self.zeros = zeros
  }

  /// `1`, `1x2x0x1`, `channels 8x8`
  public init(words: inout OperationWords) throws(OperationProblem) {
    if words.take("channels") {
      let sides = try words.integers(
        2, "numbers of channels before and behind, such as 8x8, after pad channels", atLeast: 0)
      zeros = .channels(before: sides[0], behind: sides[1])
    } else {
      zeros = .around(
        try ImagePadding(
          words: &words, "a number from 0 on, four such as 1x0x2x1, or ‘channels’ after pad"))
    }
  }

  /// The numbers, behind `channels` if it is these.
  public var words: [String] {
    switch zeros {
    case .around(let padding): [padding.operationWord]
    case .channels(let before, let behind): ["channels", "\(before)x\(behind)"]
    }
  }

  /// `[channels, top + height + bottom, left + width + right]`, or `[before + channels + behind, …]`.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    var sizes = inputs[0].dimensions
    guard sizes.allSatisfy({ $0 <= Int32.max }) else {
      throw OperationProblem("gets \(inputs[0]), which is too large")
    }
    switch zeros {
    case .around(let padding):
      guard sizes.count == 3 else {
        throw OperationProblem("needs [channels, height, width] but gets \(inputs[0])")
      }
      guard padding.isValid, padding.isModerate else {
        throw OperationProblem("has a padding that is negative or too large")
      }
      sizes[1] += padding.height
      sizes[2] += padding.width
    case .channels(let before, let behind):
      guard !sizes.isEmpty else { throw OperationProblem("needs channels but gets one number") }
      guard min(before, behind) >= 0, max(before, behind) <= Int32.max else {
        throw OperationProblem("has a number of channels that is negative or too large")
      }
      sizes[0] += before + behind
    }
    return try Shape(chosen: sizes)
  }

  /// Channels pass one by one; those of zeros lie around the input's.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation {
    switch zeros {
    case .around: .oneByOne
    case .channels(let before, _): UnitRelation(.shifted(by: before))
    }
  }

  /// A copy between zeros.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    switch zeros {
    case .around(let padding):
      MarginsKernel(margins: ImageMargins(around: inputs[0], padding: padding))
    case .channels(let before, let behind):
      // Any shape behind the channels is a row of positions.
      ChannelPaddingKernel(
        padding: PaddingShortcut(
          over: [inputs[0].rows, 1, inputs[0].rowCount], strides: [1, 1], before: before,
          behind: behind),
        before: inputs[0], behind: output)
    }
  }
}

extension Layer {
  /// Zeros around images.
  public static func pad(_ padding: ImagePadding) -> Layer { Layer(Pad(.around(padding))) }

  /// Channels of zeros before and behind.
  public static func padChannels(before: Int, behind: Int) -> Layer {
    Layer(Pad(.channels(before: before, behind: behind)))
  }
}

@section("lcw_plugins") @used
let padPlugin: PluginRecord = { $0.add(Pad.self) }

/// Images between zeros.
struct MarginsKernel: UnaryKernel {
  var margins: ImageMargins

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    margins.output(of: input, workers: workers)
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    (margins.output(of: input, workers: pass.workers), [])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    needsInput ? margins.backward(gradient, workers: pass.workers) : nil
  }
}

/// Channels between channels of zeros.
struct ChannelPaddingKernel: UnaryKernel {
  var padding: PaddingShortcut
  /// The shape of one sample before.
  var before: Shape
  /// The shape of one sample behind.
  var behind: Shape

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    let samples = input.shape.rows
    return padding.output(of: input.reshaped(padding.image.batched(samples)), workers: workers)
      .reshaped(behind.batched(samples))
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    (output(of: input, parameters: parameters, workers: pass.workers), [])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    guard needsInput else { return nil }
    let samples = gradient.shape.rows
    return padding.backward(
      gradient.reshaped(padding.outputShape.batched(samples)), workers: pass.workers
    )
    .reshaped(before.batched(samples))
  }
}
