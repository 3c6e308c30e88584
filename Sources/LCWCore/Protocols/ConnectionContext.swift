// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// What a method may use besides the two networks.
public struct ConnectionContext: Sendable {
  /// Training samples, for methods that need data.
  public var samples: SampleSet?
  /// The seed of everything random.
  public var seed: UInt64
  /// The threads to use.
  public var workers: Workers
  /// Is told how far a long computation has come. If it throws, the computation ends with that
  /// error.
  public var progress: @Sendable (ConnectionProgress) throws -> Void
  /// Where a method that learns for long keeps what it has, to go on after an interruption.
  public var store: (any ConnectionStore)?

  /// A context.
  public init(
    samples: SampleSet? = nil, seed: UInt64 = 0, workers: Workers = .available,
    store: (any ConnectionStore)? = nil,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void = { _ in }
  ) {
    self.samples = samples
    self.seed = seed
    self.workers = workers
    self.store = store
    self.progress = progress
  }
}

/// How far a method has come with joining two networks.
public struct ConnectionProgress: Sendable, Hashable {
  /// What is being done, such as `epoch 3/30  loss 0.0371`.
  public var activity: String
  /// The share done, from 0 to 1.
  public var share: Double

  /// An activity and the share done.
  public init(_ activity: String, share: Double) {
    self.activity = activity
    self.share = share
  }
}

/// A place that keeps the state of one computation between runs.
public protocol ConnectionStore: Sendable {
  /// What was kept, if something was.
  /// - Throws: What reading throws.
  func restore() throws -> Checkpoint?
  /// Keeps a state in the place of the one before.
  /// - Throws: What writing throws.
  func keep(_ state: Checkpoint) throws
}
