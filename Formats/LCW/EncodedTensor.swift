// SPDX-License-Identifier: Apache-2.0
package import LCWNumerics

/// A tensor as an archive keeps it, in memory: what a file's tensors are made of, and what the
/// benchmarks time without a file.
package struct EncodedTensor: Sendable {
  /// The transform that was found to be best.
  let transform: Transform
  /// The frames.
  let frames: EncodedFrames

  /// More bytes than the frames of a tensor of that many bytes ever take.
  ///
  /// At worst every exponent is escaped in elements of two bytes, which makes 1.32 times the bytes;
  /// the rest is for what libzstd may add to a frame.
  static func bound(rawBytes: Int) -> Int {
    rawBytes == 0 ? 0 : 2 * rawBytes + 1024 * (rawBytes / Manifest.writtenChunk + 1)
  }

  /// Encodes a tensor.
  /// - Parameter alongside: Other work, which one of the workers does meanwhile.
  /// - Throws: ``FrameProblem`` if libzstd fails, and what `alongside` throws.
  init(
    _ tensor: StoredTensor, effort: Effort, workers: Workers, tools: Pool<EncodingTools>,
    alongside: @Sendable () throws -> Void = {}
  ) throws {
    let bytes = tensor.bytes
    func encoded(
      _ plan: EncodingPlan, alongside: @Sendable () throws -> Void = {}
    ) throws -> EncodedFrames {
      let codec = PlaneCodec(
        transform: plan.transform, width: tensor.elementType.width, chunk: Manifest.writtenChunk)
      return try codec.encode(
        bytes, plan: plan, workers: workers, tools: tools, alongside: alongside)
    }
    let plans = try tools.with(EncodingTools()) {
      try EncodingPlan.plans(for: tensor, effort: effort, tools: $0)
    }
    var best = (transform: plans[0].transform, frames: try encoded(plans[0], alongside: alongside))
    for plan in plans.dropFirst() {
      let frames = try encoded(plan)
      if frames.count < best.frames.count { best = (plan.transform, frames) }
    }
    (transform, frames) = best
  }
}

/// Encodes and decodes tensors of one type in memory.
package struct TensorCoder: Sendable {
  private let workers: Workers
  private let encodingTools = Pool<EncodingTools>()
  private let decodingTools = Pool<DecodingTools>()

  /// A coder that uses that many threads.
  package init(workers: Workers = .serial) {
    self.workers = workers
  }

  /// The tensor's frames.
  /// - Throws: An error if libzstd fails.
  package func encode(_ tensor: StoredTensor, effort: Effort = .fast) throws -> EncodedTensor {
    try EncodedTensor(tensor, effort: effort, workers: workers, tools: encodingTools)
  }

  /// The bytes of the tensor that joined frames hold.
  /// - Parameters:
  ///   - tensor: Of which the frames are.
  ///   - elementType: The tensor's type.
  ///   - rawBytes: The tensor's bytes.
  /// - Throws: An error if the frames are not those of such a tensor.
  package func decode(
    _ frames: [UInt8], of tensor: EncodedTensor, elementType: ElementType, rawBytes: Int
  ) throws -> [UInt8] {
    let codec = PlaneCodec(
      transform: tensor.transform, width: elementType.width, chunk: Manifest.writtenChunk)
    return try frames.withUnsafeBytes {
      try codec.decode($0, rawBytes: rawBytes, workers: workers, tools: decodingTools)
    }
  }
}

extension EncodedTensor {
  /// The frames, one behind the other, as a file holds them.
  package var joinedFrames: [UInt8] {
    // Appending copies blocks; `joined()` would copy byte by byte.
    frames.pieces.reduce(into: []) { $0.append(contentsOf: $1) }
  }
}
