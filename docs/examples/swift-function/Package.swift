// swift-tools-version: 6.3
import PackageDescription

let package = Package(
  name: "swift-function",
  dependencies: [.package(name: "kelvin", path: "../../..")],
  targets: [
    .executableTarget(
      name: "orders",
      dependencies: [.product(name: "FunctionRuntime", package: "kelvin")],
      path: "Sources/Orders",
      swiftSettings: [.unsafeFlags(["-Osize"], .when(configuration: .release))],
      // Everything in one file: it starts in a millisecond and needs nothing on the machine it runs on.
      linkerSettings: [.unsafeFlags(["-static-executable"])])
  ]
)
