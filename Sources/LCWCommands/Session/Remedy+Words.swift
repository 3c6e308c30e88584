// SPDX-License-Identifier: Apache-2.0
import LCWCore

extension DescribedError {
  /// The description, and what to do about the error in this program's words.
  var advice: String { description + (remedy.map { "; \($0.words)" } ?? "") }
}

extension Remedy {
  /// What to do, by this program's options and commands.
  fileprivate var words: String {
    switch self {
    case .nameDataset: "name a data set with --dataset"
    case .nameDataFolder: "name its folder with --data or LCW_DATA"
    case .changeBatch: "choose another --batch"
    case .measureMoments:
      "recompute them at each point with --reset, or fold it into its neighbours with lcw convert "
        + "--fold-batchnorm"
    case .fitModel(let method): "lcw fit \(method) makes one"
    case .finishSteps: "run the same command without --collect"
    case .listSteps: "--dry-run lists them"
    case .nameOutput: "name an empty or a new folder with --output"
    case .takePoint: "lcw export --at middle makes a network of one of its points"
    case .findArchitecture:
      "--architecture auto looks for one that fits; an ONNX file brings its own"
    case .makePath: "lcw connect -o makes a path between two networks"
    }
  }
}
