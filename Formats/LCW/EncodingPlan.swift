// SPDX-License-Identifier: Apache-2.0
import CKernels
import LCWNumerics

/// How a tensor is encoded: found by trying a sample of it.
struct EncodingPlan: Sendable {
  /// What happens to a chunk before it is compressed.
  var transform: Transform
  /// The exponent below those that have codes, for the narrow exponent.
  var base = 0
  /// The method for each plane, or nil to try all on each.
  var methods: [FrameMethod]?
  /// The bytes that the sample takes.
  private var sampleLength = 0

  /// A slower method has to save one part in so many.
  private static let methodMargin = 64
  /// The most bytes that the table of a frame's codes takes.
  private static let tableBytes = 128
  /// One word in so many may need an escape.
  private static let rareWords = 1024
  /// Escapes of fewer bytes are stored.
  private static let smallestEscapes = 256

  /// The plans for a tensor, of which the one with the fewest bytes is to be taken.
  /// - Throws: ``FrameProblem`` if libzstd fails.
  static func plans(
    for tensor: StoredTensor, effort: Effort, tools: EncodingTools
  ) throws(FrameProblem) -> [EncodingPlan] {
    let (bytes, type) = (tensor.bytes, tensor.elementType)
    let transforms = Transform.candidates(for: type, rawBytes: bytes.count)
    if bytes.isEmpty { return transforms.map { EncodingPlan(transform: $0, methods: []) } }
    let sample = Sample(of: bytes, width: type.width)
    if effort == .best {
      return transforms.map { transform in
        var plan = EncodingPlan(transform: transform, methods: nil)
        plan.base = base(for: sample, transform: transform, width: type.width)
        return plan
      }
    }
    var best: EncodingPlan?
    for transform in transforms {
      let plan = try EncodingPlan(
        for: sample, transform: transform, width: type.width, tools: tools)
      // The tables of codes weigh more in a sample than in a chunk.
      let margin = sample.isWhole ? 0 : tableBytes
      if let length = best?.sampleLength, plan.sampleLength > length - margin { continue }
      best = plan
    }
    return best.map { [$0] } ?? []
  }

  private init(transform: Transform, methods: [FrameMethod]?) {
    self.transform = transform
    self.methods = methods
  }

  private init(
    for sample: Sample, transform: Transform, width: Int, tools: EncodingTools
  ) throws(FrameProblem) {
    self.init(transform: transform, methods: nil)
    base = EncodingPlan.base(for: sample, transform: transform, width: width)
    let codec = PlaneCodec(transform: transform, width: width, chunk: sample.bytes.count)
    let base = base
    let chosen = sample.bytes.withUnsafeBytes { words in
      Result { () throws(FrameProblem) in
        try codec.split(words, base: base, into: tools.scratch.bytes(codec.scratchBytes))
          .map { content throws(FrameProblem) in
            try EncodingPlan.method(for: content, tools: tools)
          }
      }
    }
    let tried = try chosen.get()
    methods = tried.map(\.method)
    sampleLength = tried.reduce(0) { $0 + $1.length }
  }

  /// The method that a plane's sample favours, and the bytes it takes by that.
  private static func method(
    for content: UnsafeRawBufferPointer, tools: EncodingTools
  ) throws(FrameProblem) -> (method: FrameMethod, length: Int) {
    let target = tools.trial.bytes(FrameEncoder.bound(content.count))
    var best = (method: FrameMethod.store, length: content.count)
    for method in [FrameMethod.entropy, .match] {
      // Only the length counts.
      let length = try tools.encoder.encode(content, checksum: 0, by: method, into: target)
      if length < best.length - best.length / methodMargin { best = (method, length) }
    }
    if best.method == .store { best.length = lcw_stored_frame_length(content.count) }
    return best
  }

  /// The method for a chunk's escapes.
  static func method(forEscapes content: UnsafeRawBufferPointer) -> FrameMethod {
    content.count < smallestEscapes ? .store : .entropy
  }

  /// The highest base with which few words need an escape, or else the one with the fewest.
  ///
  /// The rarest exponents are better escaped than coded: every symbol takes some of the short
  /// codes from the others, as no code is longer than 11 bits.
  private static func base(for sample: Sample, transform: Transform, width: Int) -> Int {
    guard transform == .narrowExponent else { return 0 }
    let words = sample.bytes
    var counts = [Int](repeating: 0, count: 256)
    for end in stride(from: width, through: words.count, by: width) {
      counts[Int(words[end - 1] & 0x7F) << 1 | Int(words[end - 2] >> 7)] += 1
    }
    let coded = words.count / width - counts[0]
    let escapes = (0...225).map { base in coded - counts[base + 1...base + 30].reduce(0, +) }
    let few = max(escapes.min() ?? 0, words.count / width / rareWords)
    return escapes.lastIndex { $0 <= few } ?? 0
  }
}

/// The first, middle and last words of a tensor, or all if they are few.
private struct Sample {
  /// The words that each of the three windows takes.
  private static let window = 4096

  var bytes: [UInt8]
  var isWhole: Bool

  init(of bytes: [UInt8], width: Int) {
    let count = bytes.count / width
    isWhole = count <= 3 * Sample.window
    if isWhole {
      self.bytes = bytes
      return
    }
    let starts = [0, (count - Sample.window) / 2, count - Sample.window]
    let size = Sample.window * width
    self.bytes = []
    self.bytes.reserveCapacity(starts.count * size)
    for start in starts {
      self.bytes.append(contentsOf: bytes[start * width..<start * width + size])
    }
  }
}
