// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// What can be wrong with training.
public enum TrainingError: DescribedError, Hashable {
  /// A plan that can't be carried out.
  case plan(String)
  /// The last batch has one sample, which a layer can't learn from.
  case loneSample(String)
  /// A text that means no schedule.
  case schedule(String)
  /// A text that means no optimiser.
  case optimiser(String)
  /// The loss became infinite or not a number.
  case diverged(epoch: Int)
  /// A checkpoint to continue from belongs to another run.
  case otherRun(field: String, expected: String, found: String)
  /// A checkpoint holds nothing to continue from.
  case notResumable
  /// A checkpoint's counts can't all be right.
  case contradiction(completed: Int, epochs: Int, steps: Int)

  /// Wrong usage, wrong data, or a failure of the run itself.
  public var category: ErrorCategory {
    switch self {
    case .plan, .loneSample, .schedule, .optimiser, .otherRun: .usage
    case .diverged: .failure
    case .notResumable, .contradiction: .data
    }
  }

  /// To take other batches, where the last has one sample.
  public var remedy: Remedy? {
    if case .loneSample = self { .changeBatch } else { nil }
  }

  /// One line that says what is wrong and what to do.
  public var description: String {
    switch self {
    case .plan(let reason), .loneSample(let reason): "training can't start: \(reason)"
    case .schedule(let text):
      "‘\(text)’ is not a schedule; there are paper, constant, cosine and step:epochs=20,factor=0.9"
    case .optimiser(let text):
      "‘\(text)’ is not an optimiser; there are sgd:momentum=0.9,decay=0.0001 and "
        + "adam:beta1=0.9,beta2=0.999,decay=0"
    case .diverged(let epoch):
      "the loss is no longer finite in epoch \(epoch + 1); try a smaller learning rate"
    case .otherRun(let field, let expected, let found):
      "the checkpoint belongs to another run: its \(field) is \(found), not \(expected)"
    case .contradiction(let completed, let epochs, let steps):
      "the checkpoint says that \(completed) of \(epochs) epochs are done after \(steps) steps, which "
        + "can't be"
    case .notResumable:
      "the checkpoint does not hold an optimiser's state, so that training can't continue from it"
    }
  }
}
