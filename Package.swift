// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0
import Foundation
import PackageDescription

// MARK: - Libraries that are optional

/// Whether pkg-config would find a library: its `.pc` file is where these lie.
func isInstalled(_ library: String) -> Bool {
  let given = (Context.environment["PKG_CONFIG_PATH"] ?? "").split(separator: ":").map(String.init)
  let multiarch = ((try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? [])
    .map { "/usr/lib/\($0)/pkgconfig" }
  let usual = ["/usr/lib", "/usr/lib64", "/usr/share", "/usr/local/lib", "/opt/homebrew/lib"]
    .map { "\($0)/pkgconfig" }
  return (given + multiarch + usual).contains {
    FileManager.default.fileExists(atPath: "\($0)/\(library).pc")
  }
}

/// Whether the data set `images` can decode. The package manager remembers what a manifest said for the
/// same environment, so that LCW_IMAGES=1 or 0 is what says that libraries came or went.
let hasImages =
  Context.environment["LCW_IMAGES"].map { $0 == "1" }
  ?? ["libpng", "libjpeg"].allSatisfy(isInstalled)

// MARK: - Plugins: one row, one folder, one target each.
// `Plugins/` holds ordinary targets, not SwiftPM build tools, so every row states its path.

/// A plugin: its target, its folder, and the libraries it builds on beyond `LCWCore`.
struct PluginRow {
  var target: String
  var path: String
  var libraries: [String] = []
  var exclude: [String] = []
  /// Whether it has a table of what other programs call a network's modules.
  var hasNames = false
}

let plugins: [PluginRow] = [
  PluginRow(target: "LinearMethod", path: "Plugins/Methods/Linear", libraries: ["LCWPaths"]),
  PluginRow(target: "ArcMethod", path: "Plugins/Methods/Arc", libraries: ["LCWPaths"]),
  PluginRow(
    target: "OptimalTransportMethod", path: "Plugins/Methods/OptimalTransport",
    libraries: ["LCWPaths"]),
  PluginRow(target: "ExchangeMethod", path: "Plugins/Methods/Exchange", libraries: ["LCWPaths"]),
  PluginRow(target: "RebasinMethod", path: "Plugins/Methods/Rebasin", libraries: ["LCWPaths"]),
  PluginRow(target: "RegMeanMethod", path: "Plugins/Methods/RegMean", libraries: ["LCWPaths"]),
  PluginRow(target: "PleasMethod", path: "Plugins/Methods/Pleas", libraries: ["LCWPaths"]),
  PluginRow(
    target: "GaripovMethod", path: "Plugins/Methods/Garipov",
    libraries: ["LCWNetworks", "LCWFiles"]),
  PluginRow(
    target: "FlowMethod", path: "Plugins/Methods/Flow", libraries: ["LCWPaths", "LCWFlows"]),
  PluginRow(
    target: "BijectionMethod", path: "Plugins/Methods/Bijection",
    libraries: ["LCWPaths", "LCWFlows"]),
  PluginRow(
    target: "WeightAdjustmentModifier", path: "Plugins/Modifiers/WeightAdjustment",
    libraries: ["LCWPaths"]),
  PluginRow(
    target: "ButterflyModifier", path: "Plugins/Modifiers/Butterfly", libraries: ["LCWPaths"]),
  PluginRow(target: "ResetModifier", path: "Plugins/Modifiers/Reset", libraries: ["LCWPaths"]),
  PluginRow(target: "RepairModifier", path: "Plugins/Modifiers/Repair", libraries: ["LCWPaths"]),
  PluginRow(
    target: "MLPArchitecture", path: "Plugins/Architectures/MLP", libraries: ["LCWOperations"]),
  PluginRow(
    target: "Conv2FC1Architecture", path: "Plugins/Architectures/Conv2FC1",
    libraries: ["LCWOperations"]),
  PluginRow(
    target: "VGG16Architecture", path: "Plugins/Architectures/VGG16", libraries: ["LCWOperations"]),
  PluginRow(
    target: "VGGArchitecture", path: "Plugins/Architectures/VGG", libraries: ["LCWOperations"]),
  PluginRow(
    target: "ResNetArchitecture", path: "Plugins/Architectures/ResNet",
    libraries: ["LCWOperations"], hasNames: true),
  PluginRow(
    target: "PreResNetArchitecture", path: "Plugins/Architectures/PreResNet",
    libraries: ["LCWOperations"]),
  PluginRow(
    target: "WideResNetArchitecture", path: "Plugins/Architectures/WideResNet",
    libraries: ["LCWOperations"], hasNames: true),
  PluginRow(
    target: "ResNetImageNetArchitecture", path: "Plugins/Architectures/ResNetImageNet",
    libraries: ["LCWOperations"], hasNames: true),
  PluginRow(
    target: "MobileNetV2Architecture", path: "Plugins/Architectures/MobileNetV2",
    libraries: ["LCWOperations"], hasNames: true),
  PluginRow(
    target: "SequentialArchitecture", path: "Plugins/Architectures/Sequential",
    libraries: ["LCWFiles"]),
  PluginRow(
    target: "DigitsDataset", path: "Plugins/Datasets/Digits", exclude: ["README.md"]),
  PluginRow(target: "MNISTDataset", path: "Plugins/Datasets/MNIST", libraries: ["LCWFiles"]),
  PluginRow(target: "CIFARDataset", path: "Plugins/Datasets/CIFAR", libraries: ["LCWFiles"]),
  PluginRow(target: "ArraysDataset", path: "Plugins/Datasets/Arrays"),
  PluginRow(target: "TableDataset", path: "Plugins/Datasets/Table", libraries: ["LCWFiles"]),
  PluginRow(
    target: "ImagesDataset", path: "Plugins/Datasets/Images", libraries: ["LCWFiles", "CImages"]),
  PluginRow(
    target: "LCWFormat", path: "Formats/LCW",
    libraries: ["LCWFiles", "CArchive", "CZstd", "CKernels"], exclude: ["SPEC.md"]),
  PluginRow(
    target: "SafetensorsFormat", path: "Formats/Safetensors", libraries: ["LCWFiles"]),
  PluginRow(target: "NumPyFormat", path: "Formats/NumPy", libraries: ["LCWFiles"]),
  PluginRow(target: "PyTorchFormat", path: "Formats/PyTorch", libraries: ["LCWFiles"]),
  PluginRow(target: "ONNXFormat", path: "Formats/ONNX", libraries: ["LCWFiles"]),
]

// MARK: - Libraries: each layer lists what stands below it.

/// A library of the package and the layers it stands on.
struct LibraryRow {
  var target: String
  var layers: [String]
  var packages: [Target.Dependency] = []
  var resources: [Resource] = []
}

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

let libraries: [LibraryRow] = [
  LibraryRow(target: "LCWNumerics", layers: ["COpenBLAS", "CKernels"]),
  LibraryRow(target: "LCWCore", layers: ["LCWNumerics", "CPluginSection"]),
  LibraryRow(target: "LCWOperations", layers: ["LCWNumerics", "LCWCore"]),
  LibraryRow(
    target: "LCWFiles", layers: ["LCWNumerics", "LCWCore", "CArchive", "CZlib", "CFileSystem"]),
  LibraryRow(target: "LCWNetworks", layers: ["LCWNumerics", "LCWCore", "CKernels"]),
  LibraryRow(target: "LCWPaths", layers: ["LCWNumerics", "LCWCore", "LCWNetworks", "CKernels"]),
  LibraryRow(
    target: "LCWFlows",
    layers: ["LCWNumerics", "LCWCore", "LCWNetworks", "LCWPaths", "LCWFiles", "CKernels"]),
  LibraryRow(target: "LCWReport", layers: ["LCWCore"]),
  LibraryRow(
    target: "LCWExperiments",
    layers: [
      "LCWNumerics", "LCWCore", "LCWOperations", "LCWFiles", "LCWNetworks", "LCWPaths", "LCWReport",
    ],
    resources: [
      "cifar10-conv2fc1", "cifar10-resnet20", "cifar10-three-layer", "cifar10-two-layer",
      "cifar10-vgg16", "cifar10-vgg16-narrow", "cifar100-vgg16", "digits", "mnist-deep",
      "mnist-two-layer",
    ].map { .embedInCode("Experiments/\($0).json") }),
  LibraryRow(
    target: "LCWCommands",
    layers: [
      "LCWNumerics", "LCWCore", "LCWFiles", "LCWNetworks", "LCWPaths", "LCWReport",
      "LCWExperiments", "LCWStamp", "CPluginSection",
    ],
    packages: [argumentParser],
    resources: [
      "Architecture", "Bash", "Dataset", "Format", "Host", "Ignored", "Method", "Modifier",
      "Operation", "Package", "Readme", "Tests", "Zsh",
    ].map { .embedInCode("Templates/\($0).template") }),
]

/// What a program and the shared objects it opens must have in common.
let stamp = "LCWStamp"

/// What the tests of plugins call, here and in packages of others: a product of its own, so that
/// programs do not link it.
let conformance = LibraryRow(
  target: "LCWConformance",
  layers: ["LCWNumerics", "LCWCore", "LCWOperations", "LCWNetworks", "LCWPaths"])

// MARK: - Tests

/// A test target and what it tests.
struct TestRow {
  var target: String
  var dependencies: [String]
  var resources: [Resource] = []
  var exclude: [String] = []
}

let pluginTargets = plugins.map(\.target)

/// The worked examples: built and tested here, in no product.
let examples: [PluginRow] = [
  PluginRow(target: "RanksExample", path: "Docs/Examples/Ranks", libraries: ["LCWPaths"]),
  PluginRow(target: "SpiralsExample", path: "Docs/Examples/Spirals"),
]

let tests: [TestRow] = [
  TestRow(
    target: "LCWNetworksTests",
    dependencies: ["LCWCore", "LCWNumerics", "LCWOperations", "LCWNetworks"],
    resources: [.copy("Fixtures")]),
  TestRow(
    target: "LCWPathsTests",
    dependencies: [
      "LCWConformance", "LCWCore", "LCWNumerics", "LCWOperations", "LCWNetworks", "LCWPaths",
      "LinearMethod", "ArcMethod", "OptimalTransportMethod", "GaripovMethod", "ExchangeMethod",
      "RebasinMethod", "RegMeanMethod", "PleasMethod", "WeightAdjustmentModifier",
      "ButterflyModifier", "MLPArchitecture", "DigitsDataset",
    ]),
  TestRow(
    target: "LCWFlowsTests",
    dependencies: [
      "LCWCore", "LCWNumerics", "LCWOperations", "LCWNetworks", "LCWPaths", "LCWFlows", "LCWFiles",
      "FlowMethod", "BijectionMethod", "WeightAdjustmentModifier", "ButterflyModifier",
      "SafetensorsFormat",
    ]),
  TestRow(
    target: "ArchitectureTests",
    dependencies: [
      "LCWCore", "LCWFiles", "LCWNumerics", "LCWOperations", "LCWNetworks", "Conv2FC1Architecture",
      "VGG16Architecture", "VGGArchitecture", "ResNetArchitecture", "PreResNetArchitecture",
      "WideResNetArchitecture", "ResNetImageNetArchitecture", "MobileNetV2Architecture",
      "SequentialArchitecture", "PyTorchFormat", "SafetensorsFormat",
    ], resources: [.copy("Fixtures")]),
  TestRow(
    target: "OperationTests",
    dependencies: [
      "LCWCore", "LCWFiles", "LCWNumerics", "LCWOperations", "LCWNetworks", "SafetensorsFormat",
    ], resources: [.copy("Fixtures")]),
  TestRow(
    target: "DatasetTests",
    dependencies: [
      "LCWCore", "LCWNumerics", "LCWFiles", "DigitsDataset", "MNISTDataset", "CIFARDataset",
      "ArraysDataset", "TableDataset", "ImagesDataset", "NumPyFormat", "SafetensorsFormat",
    ], resources: [.copy("Fixtures")]),
  TestRow(
    target: "FormatTests",
    dependencies: [
      "LCWFormat", "SafetensorsFormat", "LCWCore", "LCWFiles", "LCWNumerics", "CKernels", "CZstd",
      "lcw",
    ],
    resources: [.copy("Fixtures"), .copy("Golden")]),
  TestRow(
    target: "ForeignFormatTests",
    dependencies: [
      "NumPyFormat", "PyTorchFormat", "SafetensorsFormat", "LCWCore", "LCWFiles", "LCWNumerics",
    ],
    resources: [.copy("Fixtures")]),
  TestRow(
    target: "ONNXTests",
    dependencies: [
      "ONNXFormat", "SafetensorsFormat", "SequentialArchitecture", "LCWCore", "LCWFiles",
      "LCWNumerics", "LCWOperations", "LCWNetworks",
    ], resources: [.copy("Fixtures")], exclude: ["check_networks.py"]),
  TestRow(target: "LCWReportTests", dependencies: ["LCWReport", "LCWCore", "LCWFiles"]),
  TestRow(
    target: "LCWExperimentsTests",
    dependencies: [
      "LCWCore", "LCWFiles", "LCWNumerics", "LCWNetworks", "LCWPaths", "LCWReport",
      "LCWExperiments",
    ] + pluginTargets, resources: [.copy("Fixtures")]),
  TestRow(
    target: "LCWConformanceTests",
    dependencies: ["LCWConformance", "LCWCore", "LCWNetworks", "LCWNumerics", "LCWOperations"]
      + pluginTargets,
    resources: [.copy("Fixtures")]),
  TestRow(
    target: "ExampleTests",
    dependencies: [
      "LCWConformance", "LCWCore", "LCWNumerics", "LCWOperations", "LCWNetworks", "LCWPaths",
      "OptimalTransportMethod",
    ] + examples.map(\.target)),
  TestRow(
    target: "LCWCommandsTests",
    dependencies: ["LCWCommands", "LCWCore", "LCWFiles", "LCWFormat", "LCWNumerics", "lcw"]
      + examples.map(\.target), resources: [.copy("Fixtures")]),
  TestRow(target: "ExternalHostTests", dependencies: [], exclude: ["Fixture"]),
  TestRow(target: "LCWNumericsTests", dependencies: ["LCWNumerics", "CKernels"]),
  TestRow(target: "LCWCoreTests", dependencies: ["LCWCore", "LCWNumerics", "LCWOperations"]),
  TestRow(target: "LCWFilesTests", dependencies: ["LCWFiles", "LCWCore", "LCWNumerics"]),
]

// MARK: - The package

/// Settings every Swift target shares.
let settings: [SwiftSetting] = [
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
  .enableUpcomingFeature("ExistentialAny"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
  .enableUpcomingFeature("MemberImportVisibility"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
  .enableUpcomingFeature("InternalImportsByDefault"),
]

extension Target.Dependency {
  static func named(_ name: String) -> Target.Dependency { .target(name: name) }
}

let package = Package(
  name: "lcw",
  products: [
    .executable(name: "lcw", targets: ["lcw"]),
    .library(name: "LCW", targets: libraries.map(\.target) + [stamp]),
    .library(name: "LCWStandard", targets: pluginTargets),
    .library(name: "LCWConformance", targets: [conformance.target]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", path: "Sources/COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "CZstd", path: "Sources/CZstd", pkgConfig: "libzstd",
      providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .systemLibrary(
      name: "CArchive", path: "Sources/CArchive", pkgConfig: "libarchive",
      providers: [.apt(["libarchive-dev"]), .brew(["libarchive"])]),
    .systemLibrary(
      name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(name: "CKernels", path: "Sources/CKernels"),
    .target(name: "CPluginSection", path: "Sources/CPluginSection"),
    .target(name: "CFileSystem", path: "Sources/CFileSystem"),
    .target(
      name: "CImages", path: "Sources/CImages", cSettings: hasImages ? [.define("LCW_IMAGES")] : [],
      linkerSettings: hasImages ? [.linkedLibrary("png"), .linkedLibrary("jpeg")] : []),
    .executableTarget(
      name: "lcw",
      dependencies: ["LCWCommands"] + pluginTargets.map(Target.Dependency.named),
      path: "Sources/lcw", swiftSettings: settings,
      // So that shared objects with plugins find the libraries' symbols in the program.
      linkerSettings: [
        .unsafeFlags(["-Xlinker", "--export-dynamic"], .when(platforms: [.linux]))
      ]),
    .plugin(name: "DigestSources", capability: .buildTool(), path: "Sources/DigestSources"),
    .target(
      name: stamp, dependencies: ["LCWCore", "CPluginSection"], path: "Sources/\(stamp)",
      swiftSettings: settings, plugins: ["DigestSources"]),
    .executableTarget(
      name: "lcw-bench",
      dependencies: [
        "LCWCore", "LCWNumerics", "LCWOperations", "LCWNetworks", "LCWPaths", "LCWFlows",
        "LCWReport", "LinearMethod", "ArcMethod", "OptimalTransportMethod", "ExchangeMethod",
        "WeightAdjustmentModifier", "CKernels", "LCWFormat", "SafetensorsFormat",
        "Conv2FC1Architecture", "MLPArchitecture", "ResNetArchitecture", "VGG16Architecture",
      ],
      path: "Tests/Benchmarks",
      exclude: [
        "peers.py", "peers_archive.py", "peers_assignment.py", "peers_flow.py", "peers_matching.py",
        "peers_memory.py", "peers_paths.py", "peers_repair.py",
      ],
      swiftSettings: settings),
  ]
    + (libraries + [conformance]).map { row in
      .target(
        name: row.target,
        dependencies: row.layers.map(Target.Dependency.named) + row.packages,
        path: "Sources/\(row.target)", resources: row.resources, swiftSettings: settings)
    }
    + (plugins + examples).map { row in
      .target(
        name: row.target,
        dependencies: (["LCWCore", "LCWNumerics"] + row.libraries).map(Target.Dependency.named),
        path: row.path, exclude: row.exclude,
        resources: row.hasNames ? [.embedInCode("names.txt")] : [], swiftSettings: settings)
    }
    + tests.map { row in
      .testTarget(
        name: row.target, dependencies: row.dependencies.map(Target.Dependency.named),
        path: "Tests/\(row.target)", exclude: row.exclude, resources: row.resources,
        swiftSettings: settings)
    },
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
