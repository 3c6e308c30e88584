// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// A package of its own, since everything it depends on is built with the fuzzer's instrumentation.
// README.md tells how to run it.
let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "lcw", path: "../..")],
  targets: [.target(name: "CFuzzer")]
    // A target for each thing that is fuzzed; README.md tells them apart.
    + ["Fuzz", "FuzzContent", "FuzzRuns"].map { name in
      .executableTarget(
        name: name,
        dependencies: [
          "CFuzzer", .product(name: "LCW", package: "lcw"),
          .product(name: "LCWStandard", package: "lcw"),
        ],
        swiftSettings: [
          .enableUpcomingFeature("ExistentialAny"),
          .enableUpcomingFeature("MemberImportVisibility"),
          .enableUpcomingFeature("InternalImportsByDefault"),
        ])
    },
  swiftLanguageModes: [.v6]
)
