/// The files of a working example for `kelvin init`; they are in the folder Templates, and built into the program.
struct StartingPoint {
  struct File {
    /// From the folder of the example.
    var path: String
    var bytes: [UInt8]
  }

  var files: [File]
  /// The commands to type in that folder before `kelvin host`, one line each.
  var preparations: [String]

  /// A function in Python, on Kelvin's own runtime.
  static let python = StartingPoint(
    files: [
      File(path: "kelvin.yaml", bytes: PackageResources.python_yaml_template),
      File(path: "app.py", bytes: PackageResources.app_py_template),
    ],
    preparations: [])

  /// A function in JavaScript, on Kelvin's own runtime.
  static let node = StartingPoint(
    files: [
      File(path: "kelvin.yaml", bytes: PackageResources.node_yaml_template),
      File(path: "index.mjs", bytes: PackageResources.index_mjs_template),
    ],
    preparations: [])

  /// A function in Swift, on Kelvin's own runtime.
  ///
  /// - Parameter source: The folder of Kelvin's source, absolute.
  static func swift(source: String) -> StartingPoint {
    let manifest = String(decoding: PackageResources.Package_swift_template, as: UTF8.self)
    // A placeholder outside quotes: so the text can be written as a literal of Swift's, whatever is in it.
    let parts = manifest.split(separator: "KELVIN_SOURCE", maxSplits: 1, omittingEmptySubsequences: false)
    precondition(parts.count == 2, "BUG: the template of Package.swift does not name Kelvin's source")
    return StartingPoint(
      files: [
        File(path: "kelvin.yaml", bytes: PackageResources.swift_yaml_template),
        File(path: "Package.swift", bytes: Array("\(parts[0])\(source.debugDescription)\(parts[1])".utf8)),
        File(path: "Sources/hello/Hello.swift", bytes: PackageResources.Hello_swift_template),
      ],
      preparations: ["swift build -c release"])
  }
}
