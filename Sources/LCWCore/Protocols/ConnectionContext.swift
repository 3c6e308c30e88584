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
  /// Opens a file of weights that an option of the method names, in whatever format it is. Methods
  /// have no way to files of their own, since they know no format; whoever has the registry has it
  /// here.
  public var open: (@Sendable (String) throws -> any CheckpointSource)?

  /// A context.
  public init(
    samples: SampleSet? = nil, seed: UInt64 = 0, workers: Workers = .available,
    store: (any ConnectionStore)? = nil,
    open: (@Sendable (String) throws -> any CheckpointSource)? = nil,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void = { _ in }
  ) {
    self.samples = samples
    self.seed = seed
    self.workers = workers
    self.store = store
    self.open = open
    self.progress = progress
  }
}

/// How far a method has come with joining two networks.
public struct ConnectionProgress: Sendable, Hashable {
  /// What is being done, such as `epoch 3/30  loss 0.0371`.
  public var activity: String
  /// The share done, from 0 to 1.
  public var share: Double
  /// Whether it is worth a line that stays, such as the figures of an epoch.
  public var isMilestone: Bool

  /// An activity and the share done.
  public init(_ activity: String, share: Double, isMilestone: Bool = false) {
    self.activity = activity
    self.share = share
    self.isMilestone = isMilestone
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
  /// Removes what was kept, where going on from it would fail as it did before.
  func discard()
}
