// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks

/// What a command lacks.
enum SessionError: DescribedError, Hashable {
  case needsArchitecture(file: String)
  case needsDataset(file: String)
  case noDataset
  case recordedDataset(String)
  case wrongUse(String)
  case outputIsInput(file: String)
  case otherKind(file: String, kind: String)
  case otherFile(String, madeWith: String)
  case missingMethodFile(String, madeWith: String)
  case unrecordedMethodFile(String, madeWith: String)
  case longRecipe(file: String, method: String, work: String)
  case differentNetworks(first: String, second: String, difference: String)
  case inFile(String, problem: String, category: ErrorCategory = .data)
  case unknownPlugin(file: String, problem: String)
  case outputExists(file: String)
  case outputTurnedUp(file: String, kept: String)
  case trainedAlready(file: String)
  case inputClosed
  case inputTaken

  var category: ErrorCategory {
    switch self {
    case .outputTurnedUp: .failure
    case .inputClosed, .missingMethodFile: .missingFile
    case .otherFile, .unrecordedMethodFile, .longRecipe, .recordedDataset, .differentNetworks:
      .data
    case .inFile(_, _, let category): category
    default: .usage
    }
  }

  var description: String {
    switch self {
    case .needsArchitecture(let file):
      "\(file) does not name its architecture; give one, such as --architecture mlp:hidden=2000, "
        + "or let --architecture auto find it"
    case .needsDataset(let file):
      "\(file) does not name its data set; give one, such as --dataset mnist"
    case .noDataset:
      "the file does not name its data set; give one with --dataset"
    case .wrongUse(let reason), .recordedDataset(let reason): reason
    case .outputIsInput(let file):
      "\(file) is both an input and the output; name another file for the output"
    case .otherKind(let file, let kind):
      "\(file) already exists and holds a \(kind), which would be lost; name another file, or remove it first"
    case .otherFile(let file, let archive):
      "\(file) is not the file that the path in \(archive) was made with; put that one in its place, "
        + "name it with --made-with, or make the path again"
    case .missingMethodFile(let file, let archive):
      "the path in \(archive) is computed with \(file), which is not beside it; put it into the folder "
        + "of \(archive), or name it with --made-with"
    case .unrecordedMethodFile(let file, let archive):
      "the path in \(archive) needs \(file) but does not record its digest, so the file is not opened"
    case .longRecipe(let file, let method, let work):
      "\(file) stores only how to compute its path: \(method) \(work); if you trust the file, add "
        + "--allow-long-recipe"
    case .differentNetworks(let first, let second, let difference):
      "\(first) and \(second) hold different networks: \(difference)"
    case .inFile(let file, let problem, _): "\(file): \(problem)"
    case .unknownPlugin(let file, let problem):
      "\(file): \(problem); if a shared object has it, add --plugin FILE before the command, "
        + "or its folder in \(PluginObject.foldersVariable)"
    case .outputExists(let file):
      "\(file) already exists; name another file, or pass --overwrite to replace it"
    case .outputTurnedUp(let file, let kept):
      "another process created \(file) in the meantime; it is kept, and the result is in \(kept)"
    case .trainedAlready(let file):
      "\(file) already exists; --resume continues it, --overwrite replaces it"
    case .inputClosed: "standard input is closed; give it a file, as in lcw verify - < FILE"
    case .inputTaken: "standard input can be read only once, but - is named twice"
    }
  }
}

extension SessionError {
  /// Requires the losses of a file's network to be numbers. Its weights and the samples are, so that
  /// otherwise what it computes of them is too large.
  static func requireFinite(_ train: Metrics, _ test: Metrics, of file: String) throws {
    guard !train.crossEntropy.isFinite || !test.crossEntropy.isFinite else { return }
    throw SessionError.inFile(
      file, problem: "the loss is not finite: the outputs are too large for single precision")
  }
}
