import Foundation

/// The repository as the tests of the house see it.
enum House {
  struct SwiftFile {
    /// From the root of the repository.
    var path: String
    /// The target that it belongs to.
    var room: String
    var lines: [String]

    /// The modules that it imports.
    var imports: [String] {
      lines.compactMap { line in
        let words = line.split(separator: " ").map(String.init)
        guard let index = words.firstIndex(of: "import"), index + 1 < words.count else { return nil }
        let modifiers: Set<String> = ["public", "package", "internal", "private", "fileprivate"]
        guard words[..<index].allSatisfy({ modifiers.contains($0) || $0.hasPrefix("@") }) else { return nil }
        // `import struct Module.Name` names a declaration.
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "let", "var", "typealias"]
        let name = kinds.contains(words[index + 1]) && index + 2 < words.count ? words[index + 2] : words[index + 1]
        return name.split(separator: ".").first.map(String.init)
      }
    }
  }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// Whether protoc-c is here, in the version that made what is committed; others word it differently.
  static let hasProtobufCompiler: Bool = {
    let header = try? text("Sources/CPrometheusProto/include/metrics.pb-c.h")
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/protoc-c")
    process.arguments = ["--version"]
    process.standardOutput = pipe
    guard let header, (try? process.run()) != nil else { return false }
    let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    // `protobuf-c 1.4.1` is the number 1004001.
    let numbers = (said.split(separator: "\n").first ?? "").split(separator: " ").last?.split(separator: ".") ?? []
    let version = numbers.compactMap { Int($0) }.reduce(0) { $0 * 1_000 + $1 }
    return header.contains("#elif \(version) < PROTOBUF_C_MIN_COMPILER_VERSION")
  }()

  /// The lines of docs/architecture.md between the two comments that bear `name`.
  private static func section(_ name: String) throws -> [String] {
    let lines = try text("docs/architecture.md").split(separator: "\n").map(String.init)
    guard let first = lines.firstIndex(of: "<!-- \(name) -->"), let last = lines.firstIndex(of: "<!-- /\(name) -->")
    else {
      throw HouseError(description: "docs/architecture.md has no section \(name)")
    }
    return Array(lines[(first + 1)..<last])
  }

  static func listedArrows() throws -> [String: Set<String>] {
    var result: [String: Set<String>] = [:]
    for line in try section("arrows") {
      let words = line.split(separator: " ").map(String.init)
      guard let arrow = words.firstIndex(of: "->"), arrow > 0 else {
        throw HouseError(description: "not an arrow: \(line)")
      }
      for room in words[..<arrow] { result[room] = Set(words[(arrow + 1)...]) }
    }
    return result
  }

  static func roomsWithoutFoundation() throws -> Set<String> { try rooms(in: "without Foundation") }

  static func pureRooms() throws -> Set<String> { try rooms(in: "pure") }

  private static func rooms(in name: String) throws -> Set<String> {
    Set(try section(name).flatMap { $0.split(separator: " ").map(String.init) })
  }

  /// The targets of the manifest that are not for tests, with all that they depend on: targets and products.
  static func manifestArrows() throws -> [String: Set<String>] {
    var result: [String: Set<String>] = [:]
    for target in try manifestTargets() {
      guard let name = target["name"] as? String, let path = target["path"] as? String? else { continue }
      if target["type"] as? String == "test" || path?.hasPrefix("Tests/") == true { continue }
      let dependencies = target["dependencies"] as? [[String: Any]] ?? []
      result[name] = Set(
        dependencies.compactMap { dependency in
          ["byName", "target", "product"].lazy.compactMap { (dependency[$0] as? [Any])?.first as? String }.first
        })
    }
    return result
  }

  private static func manifestTargets() throws -> [[String: Any]] {
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("kelvin-house-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: scratch) }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // A folder of its own, because `swift test` holds the lock of the usual one.
    process.arguments = [
      "swift", "package", "--package-path", root.path, "--scratch-path", scratch.path, "dump-package",
    ]
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let document = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    guard let targets = document?["targets"] as? [[String: Any]] else {
      throw HouseError(description: "swift package dump-package names no targets")
    }
    return targets
  }

  /// Rooms whose folder has another name than they.
  private static let rooms = ["Dashboards/Alerts": "AlertRules", "Dashboards/Web": "WebPage"]

  /// The Swift files below folders of the repository.
  static func swiftFiles(under folders: [String]) throws -> [SwiftFile] {
    var files: [SwiftFile] = []
    for folder in folders {
      let names = try FileManager.default.subpathsOfDirectory(atPath: root.appendingPathComponent(folder).path)
      for name in names where name.hasSuffix(".swift") {
        let folderName = name.split(separator: "/").first.map(String.init) ?? name
        let room = rooms["\(folder)/\(folderName)"] ?? folderName
        let lines = try text("\(folder)/\(name)").split(separator: "\n", omittingEmptySubsequences: false).map(
          String.init)
        files.append(SwiftFile(path: "\(folder)/\(name)", room: room, lines: lines))
      }
    }
    return files
  }
}

struct HouseError: Error, CustomStringConvertible {
  var description: String
}

/// How long a function is. Relies on the format that `swift format` gives: a body is closed by a brace in the column where
/// the line of its declaration begins.
struct FunctionLength: Equatable {
  /// From 1.
  var firstLine: Int
  /// From the line of its declaration to its closing brace.
  var lines: Int

  static func all(in lines: [String]) -> [FunctionLength] {
    lines.indices.compactMap { index in
      guard isDeclaration(lines[index]) else { return nil }
      let indentation = String(lines[index].prefix { $0 == " " })
      guard let opening = opening(of: index, in: lines, indentation: indentation) else { return nil }
      guard let end = lines[opening...].dropFirst().firstIndex(of: indentation + "}") else { return nil }
      return FunctionLength(firstLine: index + 1, lines: end - index + 1)
    }
  }

  private static func isDeclaration(_ line: String) -> Bool {
    let words = line.split(separator: " ")
    guard
      let index = words.firstIndex(where: { word in
        ["func", "deinit", "subscript"].contains(word) || word.hasPrefix("init(") || word.hasPrefix("init?(")
          || word.hasPrefix("init<") || word.hasPrefix("subscript(")
      })
    else { return false }
    return words[..<index].allSatisfy { $0.allSatisfy { $0.isLetter || "@()_:".contains($0) } }
  }

  /// The line that opens the body of the declaration in line `index`; nil if it has none, or is closed in the same line.
  private static func opening(of index: Int, in lines: [String], indentation: String) -> Int? {
    for line in lines[index...].indices {
      if lines[line].hasSuffix("{") { return line }
      let isSignature =
        line == index || lines[line].hasPrefix(indentation + " ") || lines[line].hasPrefix(indentation + ")")
      if !isSignature || lines[line].hasSuffix("}") { return nil }
    }
    return nil
  }
}
