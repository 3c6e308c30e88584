// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// What can be wrong with transformations and with fitting them.
public enum FlowError: DescribedError, Hashable {
  /// A design that no transformation can have.
  case design(option: String, expected: String, found: String)
  /// Rows of another number of coordinates than the transformation was made for.
  case dimension(expected: Int, found: Int)
  /// Rows hold values that are not finite.
  case notFinite(rows: String)
  /// There are too few networks to learn from.
  case tooFewNetworks(needed: Int, found: Int)
  /// Fitting a transformation needs more memory than there is.
  case tooLarge(gigabytes: Int)
  /// A model was fitted for a network of another chain of layers.
  case otherNetwork(expected: String, found: String)
  /// A method that joins by a model was given none.
  case needsModel(method: String)
  /// A method needs a file opened, and the program that calls it opens none.
  case cannotOpen(method: String)
  /// A model has no transformation for a layer.
  case noTransformation(layer: String, known: [String])
  /// A network of several hidden layers can't be moved at once.
  case needsModifier(method: String, layers: Int)
  /// A method learns from networks of one hidden layer only.
  case deepNetwork(method: String, layers: Int)
  /// The loss became infinite or not a number.
  case diverged(what: String, epoch: Int)
  /// A state to go on from belongs to another fit.
  case otherFit(field: String, expected: String, found: String)
  /// A fit was given a model, which would have no part in it.
  case modelInFit(method: String, instead: String?)
  /// Figures are not finite before anything is learned, for the scale of the networks.
  case unusableStart(figures: String, reason: String)
  /// ν⁻¹ν misses the rows by too much, as a share of their norm.
  case notInverted(rows: String, share: Double)
  /// A network is among those to learn from, or held out, twice.
  case sameNetwork
  /// The file holds another learned connection.
  case otherModel(method: String, found: String)
  /// A model's file says what can't be used.
  case unusableModel(file: String, problem: String)

  /// Wrong usage, wrong data, or a failure of the fit itself.
  public var category: ErrorCategory {
    switch self {
    case .diverged: .failure
    case .notFinite, .otherModel, .unusableModel, .dimension, .otherNetwork, .noTransformation,
      .notInverted,
      .unusableStart:
      .data
    case .design, .tooLarge, .modelInFit, .sameNetwork, .tooFewNetworks, .needsModel, .cannotOpen,
      .needsModifier,
      .deepNetwork, .otherFit:
      .usage
    }
  }

  /// To fit a model, where there is none.
  public var remedy: Remedy? {
    if case .needsModel(let method) = self { .fitModel(method: method) } else { nil }
  }

  /// One line that says what was expected, what was found, and what to do.
  public var description: String {
    switch self {
    case .design(let option, let expected, let found):
      "a transformation's \(option) is \(expected), not \(found)"
    case .dimension(let expected, let found):
      "the transformation is one of rows of \(expected) numbers; these have \(found)"
    case .notFinite(let rows):
      "\(rows) hold values that are not finite"
    case .tooFewNetworks(let needed, let found):
      "a fit needs \(needed) networks or more to learn from; there are \(found)"
    case .tooLarge(let gigabytes):
      "fitting the transformation needs \(gigabytes) GB of memory, more than there is; a smaller "
        + "width= or fewer layers= need less"
    case .otherNetwork(let expected, let found):
      "the model was fitted for networks ‘\(expected)’ and can't join ‘\(found)’; fit one to "
        + "such networks"
    case .needsModel(let method):
      "\(method) needs a fitted model: \(method):model=FILE"
    case .cannotOpen(let method):
      "\(method) has to open its model's file, for which the context has no way"
    case .noTransformation(let layer, let known):
      "the model was not fitted to layer \(layer), but to \(known.joined(separator: ", "))"
    case .needsModifier(let method, let layers):
      "\(method) by itself joins networks of two layers with weights; this one has \(layers): "
        + "write \(method)…+wa or \(method)…+bfly"
    case .deepNetwork(let method, let layers):
      "\(method) learns from networks of two layers with weights; these have \(layers)"
    case .diverged(let what, let epoch):
      "\(what) is no longer finite in epoch \(epoch + 1); try a smaller rate"
    case .otherFit(let field, let expected, let found):
      "the state belongs to another fit: its \(field) is \(found), not \(expected)"
    case .modelInFit(let method, let instead):
      "a fit makes a new model; leave out ‘model’"
        + (instead.map { ", or start from that model with \(method):\($0)=FILE" } ?? "")
    case .unusableStart(let figures, let reason):
      "\(figures) are not finite before the first epoch: \(reason)"
    case .notInverted(let rows, let share):
      "the transformation can't be undone in single precision: there and back, \(rows) are off by "
        + "\((share * 100).rounded()) % of their norm; fit it with a smaller rate or bound, or to "
        + "networks of another scale"
    case .sameNetwork:
      "a network is named twice; each is learned from, or held out, once"
    case .unusableModel(let file, let problem): "\(file.asOneLine): \(problem)"
    case .otherModel(let method, let found):
      "\(method) needs a model that was fitted by \(method); the file holds \(found)"
    }
  }
}
