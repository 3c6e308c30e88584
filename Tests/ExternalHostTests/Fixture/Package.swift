// swift-tools-version: 6.3
import PackageDescription

// A stranger's package: one method of its own and a host that links it. Nothing in lcw names it.
let package = Package(
  name: "stranger",
  dependencies: [.package(name: "lcw", path: "LCW_PACKAGE_PATH")],
  targets: [
    .target(name: "OddMethod", dependencies: [.product(name: "LCW", package: "lcw")]),
    .executableTarget(
      name: "host",
      dependencies: [
        "OddMethod", .product(name: "LCW", package: "lcw"),
        .product(name: "LCWStandard", package: "lcw"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
