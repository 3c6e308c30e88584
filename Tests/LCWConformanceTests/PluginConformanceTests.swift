// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWConformance
import LCWCore
import LCWNumerics
import Testing

/// Every plugin of this package keeps its promises.
struct PluginConformanceTests {
  static let methods = [
    "linear", "arc", "ot", "ot:cost=incoming,path=arc", "garipov:epochs=2,points=4",
    "garipov:curve=bezier,epochs=2", "flow:batch=16,epochs=2,layers=2",
    "bijection:batch=16,epochs=1,layers=2,steps=3", "linear+wa", "arc+wa", "ot+wa", "linear+bfly",
    "arc+bfly", "ot+bfly", "exchange", "exchange:blocks=1", "exchange:blocks=2,refit=labels",
    "exchange:blocks=3,order=random",
    "exchange:order=matched,target=first", "exchange:order=importance,ridge=0.001",
    "exchange:at-once=groups,blocks=2,target=first", "flow:batch=16,epochs=2,layers=2+wa",
    "linear+wa:layers=all",
    "arc+wa:layers=all", "ot+wa:layers=all", "flow:batch=16,epochs=2,layers=2+wa:layers=all",
    "regmean", "regmean:match=weights,shrink=0.9", "pleas", "pleas:match=none",
    "rebasin+wa:layers=all", "ot+wa:target=mix", "linear+wa:refit=labels",
    "ot+wa:layers=all,refit=labels",
    "rebasin",
    "rebasin:curve=arc,match=activations", "rebasin:search=frank-wolfe,starts=2",
    "rebasin:coupled=move", "rebasin:coupled=keep", "rebasin+wa", "rebasin+bfly",
    "linear+reset", "arc+reset", "ot+wa+reset", "garipov:epochs=2+reset", "linear+repair",
    "arc+repair:moments=variance", "ot+repair:samples=50", "linear+wa+repair", "ot+reset+repair",
  ]
  static let architectures = [
    "mlp:hidden=20", "mlp:activation=tanh,bias=false,hidden=9x7", "conv2fc1", "vgg16:width=0.1",
    "sequential:layers=flatten; dense 9 no-bias; batchnorm; relu; dense classes",
    "resnet:depth=8,width=0.25", "resnet:depth=8,norm=layer,shortcut=projection3x3,width=0.25",
    "resnet:depth=8,norm=none,shortcut=projection,width=0.25", "preresnet:depth=8,width=0.25",
    "wideresnet:depth=10,dropout=0.2,width=0.25", "wideresnet:depth=10,layout=meliketoy,width=0.25",
    "vgg:depth=11,norm=none,width=0.1", "vgg:depth=11,head=imagenet,width=0.02",
    "resnet-imagenet:width=0.05", "mobilenetv2:width=0.1",
  ]
  static let datasets = ["digits", "mnist", "cifar10", "cifar100"]
  static let fileDatasets = [
    "table:train=x.csv", "table:train=x.csv,split=0.5,standardise=feature,seed=3",
    "table:train=x.csv,test=t.csv,label=kind", "arrays:train=x.npz",
    "arrays:train=x.npz,test=t.npz",
    "arrays:standardise=channel,train=x.npz",
  ]
  static let formats = ["lcw", "safetensors", "numpy", "numpy:compress=true", "pytorch"]

  @Test(arguments: methods)
  func `methods conform`(method: String) throws { try Conformance.require(method: method) }

  @Test(arguments: architectures)
  func `architectures conform`(architecture: String) throws {
    try Conformance.require(architecture: architecture)
  }

  @Test
  func `digits conforms`() throws { try Conformance.require(dataset: "digits") }

  /// Beside the package, where there may be none.
  private static let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("shared/data")

  /// Whether some of a data set's files are there, right or wrong.
  private static func isThere(_ dataset: String) throws -> Bool {
    let dataset = try PluginRegistry.linked().dataset(PluginReference(name: dataset))
    return [DataSplit.test, .train].contains { split in
      do {
        _ = try dataset.samples(split, in: DataLocations(folders: [data]))
        return true
      } catch {
        return (error as? DataError)?.category != .missingFile
      }
    }
  }

  @Test(.enabled(if: try isThere("mnist"), "its files are not in ../shared/data"))
  func `mnist conforms`() throws { try Conformance.require(dataset: "mnist", folder: Self.data) }

  @Test(.enabled(if: try isThere("cifar10"), "its files are not in ../shared/data"))
  func `cifar10 conforms`() throws {
    try Conformance.require(dataset: "cifar10", folder: Self.data)
  }

  @Test(.enabled(if: try isThere("cifar100"), "its files are not in ../shared/data"))
  func `cifar100 conforms`() throws {
    try Conformance.require(dataset: "cifar100", folder: Self.data)
  }

  /// A folder with files of every data set that is known from its files.
  private static func withFiles(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lcw-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var random = RandomStream(seed: 7)
    let numpy = try PluginRegistry.linked().format(PluginReference(name: "numpy"))
    for (name, count) in [("x", 90), ("t", 30)] {
      let values = random.normal([count, 1, 3, 4])
      let labels = (0..<count).map { Float($0 % 3) }
      var lines = [(0..<12).map { "x\($0)" }.joined(separator: ",") + ",kind"]
      for row in 0..<count {
        lines.append(
          values.row(row).map { "\($0)" }.joined(separator: ",") + ",kind \(row % 3)")
      }
      try Data(lines.joined(separator: "\n").utf8)
        .write(to: folder.appendingPathComponent("\(name).csv"))
      try numpy.write(
        Checkpoint(tensors: [
          NamedTensor("x", StoredTensor(values)), NamedTensor("y", StoredTensor(Tensor(labels))),
        ]), to: folder.appendingPathComponent("\(name).npz"))
    }
    try body(folder)
  }

  @Test(arguments: fileDatasets)
  func `data sets of files conform`(dataset: String) throws {
    try Self.withFiles { try Conformance.require(dataset: dataset, folder: $0) }
  }

  @Test(arguments: fileDatasets)
  func `a data set of files names those that are not there`(dataset: String) throws {
    let nowhere = URL(fileURLWithPath: "/nowhere", isDirectory: true)
    let broken = try DatasetConformance(dataset, in: .linked(), folder: nowhere).brokenProperties()
    #expect(broken.map(\.property) == [.hasSamples, .hasSamples])
  }

  @Test(arguments: datasets.filter { $0 != "digits" })
  func `without its files a data set says so, and nothing else is wrong`(dataset: String) throws {
    let nowhere = URL(fileURLWithPath: "/nowhere", isDirectory: true)
    let broken = try DatasetConformance(dataset, in: .linked(), folder: nowhere).brokenProperties()
    #expect(broken.map(\.property) == [.hasSamples, .hasSamples])
  }

  @Test(arguments: formats)
  func `formats conform`(format: String) throws {
    let examples = ["mlp_5_4_3.pt", "legacy_format.pt"].map {
      Bundle.module.bundleURL.appendingPathComponent("Fixtures").appendingPathComponent($0)
    }
    try Conformance.require(
      format: format, isChecksummed: format == "lcw",
      examples: format == "pytorch" ? examples : [])
  }

  @Test
  func `no plugin is left out`() throws {
    let listed =
      (Self.methods + Self.architectures + Self.datasets + Self.fileDatasets + Self.formats
      + OperationConformanceTests.names)
      .flatMap { $0.split(separator: "+") }.map { String($0.prefix { $0 != ":" }) }
    // The worked examples, which all tests here are linked with, have tests of their own.
    // images needs files of images, and onnx holds networks, not any tensors: they have tests of their own.
    let linked = try PluginRegistry.linked().plugins.filter {
      !["images", "onnx"].contains($0.name)
    }
    .filter { !String(reflecting: $0).contains("Example.") }.map { $0.name }
    #expect(Set(linked) == Set(listed))
  }
}
