import Foundation
import Testing

@Suite struct `The encoder of batches` {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    .standardizedFileURL

  /// Where the compiler is, if it knows Embedded Swift for this machine.
  private static let compiler: URL? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let found = folders.map { URL(fileURLWithPath: "\($0)/swiftc") }.first {
      FileManager.default.isExecutableFile(atPath: $0.path)
    }
    guard let found else { return nil }
    let library = found.resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent(
      "../lib/swift/embedded")
    return FileManager.default.fileExists(atPath: library.path) ? found : nil
  }()

  private static func compile(_ module: String, _ files: [String], in folder: URL) throws {
    let process = Process()
    process.executableURL = compiler
    process.currentDirectoryURL = folder
    process.arguments =
      [
        "-enable-experimental-feature", "Embedded", "-wmo", "-Onone", "-parse-as-library", "-package-name", "kelvin",
        "-I",
        folder.path, "-enable-upcoming-feature", "InternalImportsByDefault", "-emit-module", "-module-name", module,
        "-c",
      ] + files + ["-o", "\(module).o"]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(module) does not compile in Embedded Swift")
  }

  @Test(.enabled(if: compiler != nil))
  func `compiles in Embedded Swift, with the words and events that it writes`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kelvin-embedded-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // It holds nothing but what was compiled.
    defer { try? FileManager.default.removeItem(at: folder) }
    let words = Self.root.appendingPathComponent("Sources/Lifecycle")
    let files = try FileManager.default.contentsOfDirectory(atPath: words.path).filter { $0.hasSuffix(".swift") }
    try Self.compile("Lifecycle", files.map { words.appendingPathComponent($0).path }, in: folder)
    let encoder = ["WireWriter", "EventEncoder", "EventRows"].map {
      Self.root.appendingPathComponent("Sources/LifecycleEncoding/\($0).swift").path
    }
    try Self.compile("LifecycleEncoding", encoder, in: folder)
  }
}
