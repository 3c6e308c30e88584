// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// What plugins promise and the suite looks at.
public enum ConformanceProperty: String, Sendable, CaseIterable {
  /// The summary is one line without a full stop, and every option has a key of its own and help.
  case describesItself = "describes itself"
  /// What can't be done is refused by a ``DescribedError``, never by another error.
  case refusesProperly = "refuses by a described error"

  /// A method joins at least one of the suite's networks.
  case joins = "joins some network"
  /// A path gives its points, and one motion for each parameter in each stage.
  case hasPoints = "gives its points"
  /// The path's first point is A, to the bit.
  case startsAtFirst = "starts at A"
  /// The path's last point is B, to the bit.
  case endsAtSecond = "ends at B"
  /// Every point is finite.
  case isFinite = "is finite"
  /// The path does not jump: between near times there are near points.
  case isContinuous = "is continuous"
  /// What the stages tell is what the points are, and both ways to evaluate agree.
  case agreesWithStructure = "agrees with its structure"
  /// Equal networks and seeds give the same path, to the bit.
  case repeats = "gives the same for the same seed"
  /// Networks that differ are refused.
  case refusesMismatch = "refuses networks that differ"

  /// An architecture makes a network for at least one of the suite's shapes.
  case makesNetworks = "makes a network"
  /// The network takes the samples and tells the classes apart that were asked for.
  case hasShapes = "has the shapes asked for"
  /// Options written out as their defaults change nothing, nor does the self-contained reference.
  case keepsOptions = "means the same by its written options"
  /// The loss's gradient is that of central differences.
  case hasGradients = "has the loss's gradients"
  /// Every trained parameter has a gradient somewhere.
  case reachesParameters = "trains every parameter"
  /// A checkpoint of the network comes back as the same network and weights.
  case survivesCheckpoint = "comes back from a checkpoint"

  /// A format knows the files it wrote, and claims no others.
  case recognisesFiles = "recognises its files"
  /// What is written comes back to the bit, whatever the elements' type.
  case roundTrips = "gives back what was written"
  /// A file that is cut short is an error, or still gives the right values.
  case refusesCuts = "refuses cut files"
  /// A file with a bit flipped is an error that is described; with checksums, or the right values.
  case refusesFlips = "refuses flipped bits"
  /// The errors of damaged files name the file.
  case namesFiles = "names the file in errors"
  /// A tensor that is not there is an error.
  case refusesMissingTensors = "refuses tensors that are not there"
  /// When writing fails, no new file is there, and an old one is as it was.
  case writesAtomically = "leaves nothing half written"

  /// Both splits have samples, of the shape and the classes that the data set says.
  case hasSamples = "has samples as it says"
  /// The values are finite, moderate and not all the same.
  case hasRanges = "has moderate values"
  /// Every class occurs in every split.
  case hasLabels = "has labels of every class"
  /// The test samples are not those trained on.
  case keepsSplitsApart = "keeps its splits apart"
  /// Where files are missing, an error says which and where they were looked for.
  case namesMissingFiles = "names missing files"

  /// An operation's text means the operation again, and its usage begins with its name.
  case meansItsText = "means the same by its text"
  /// At least one of the suite's shapes is accepted.
  case acceptsShapes = "accepts some shape"
  /// A shape that is refused is refused with a sentence of one line.
  case refusesShapes = "refuses shapes with a sentence"
  /// The parameters have roles of their own, values, and a first value that is finite.
  case describesParameters = "describes its parameters"
  /// The multiplications and the workspace are finite and not negative.
  case countsWork = "counts its work"
  /// What is put out has the shape that was said, and is finite.
  case putsOutItsShape = "puts out the shape it says"
  /// In evaluation a sample's output does not depend on the others in its block.
  case keepsSamplesApart = "keeps samples apart"
  /// The output does not depend on the number of workers.
  case ignoresWorkers = "gives the same for any number of workers"
  /// What is handed over and is someone else's too stays as it is.
  case leavesInputs = "leaves what others have too"
  /// The gradients of inputs and parameters are those of central differences, in training.
  case hasOperationGradients = "has its output's gradients"
  /// Gradient buffers keep the share that is asked for, and get the gradient added.
  case scalesBuffers = "scales gradient buffers"
  /// Inputs get a gradient where one is needed, and none where not.
  case givesNeededGradients = "gives the gradients that are needed"
  /// Parameters that are running statistics get the batch's value, whatever their buffer held.
  case writesAverages = "writes the batch's averages"
  /// An activation that is taken over gives what it would give behind the operation, and what says that it
  /// is an activation is one.
  case fusesTruly = "fuses activations truly"
  /// If it says so, the output has the input's values in their order.
  case keepsValues = "keeps values if it says so"
  /// Units permuted as the relation of axes says leave what is computed.
  case relatesAxes = "tells the truth about units"
  /// Units that are said to be apart do not depend on each other.
  case tellsCoupling = "says whether units are coupled"
  /// A linear operation's products, features and positions are those of its output.
  case isLinear = "is linear as it says"
  /// An affine operation's lines are its output.
  case isAffine = "is affine as it says"
}

/// A promise that a plugin does not keep.
public struct BrokenProperty: Sendable, Hashable, CustomStringConvertible {
  /// The promise.
  public let property: ConformanceProperty
  /// What was found, in one line.
  public let finding: String

  /// A promise and what was found.
  public init(_ property: ConformanceProperty, _ finding: String) {
    self.property = property
    self.finding = finding
  }

  /// Both, as `starts at A: …`.
  public var description: String { "\(property.rawValue): \(finding)" }
}

/// Why a plugin does not pass.
public struct ConformanceError: DescribedError, Hashable {
  /// The plugin, as it was written.
  public let plugin: String
  /// The promises it does not keep.
  public let broken: [BrokenProperty]

  /// A plugin and its broken promises.
  public init(plugin: String, broken: [BrokenProperty]) {
    self.plugin = plugin
    self.broken = broken
  }

  /// A fault of the plugin.
  public var category: ErrorCategory { .failure }

  /// All promises that are broken, in one line.
  public var description: String {
    "\(plugin) does not conform: " + broken.map(\.description).joined(separator: "; ")
  }
}

extension [BrokenProperty] {
  /// Adds what is broken, if something is.
  mutating func add(_ property: ConformanceProperty, _ finding: String?) {
    if let finding { append(BrokenProperty(property, finding)) }
  }
}
