import Glibc
import Testing

@testable import FunctionHost

/// A directory of extensions (each the script of the fixtures), and the journals in which they say what they saw.
struct ExtensionFolder: Sendable {
  let directory: String
  let journal: String

  init(_ names: [String] = ["agent"]) throws {
    var template = Array("/tmp/kelvin-extensions-XXXXXX".utf8CString)
    let root = try #require(unsafe mkdtemp(&template).map { unsafe String(cString: $0) })
    directory = "\(root)/extensions"
    journal = "\(root)/journal"
    for path in [directory, journal] { unsafe mkdir(path, 0o755) }
    for name in names { unsafe symlink("\(fixtures)/extension.py", "\(directory)/\(name)") }
  }

  /// The lines of a journal so far.
  func lines(of name: String = "agent") -> [String] {
    text("\(journal)/\(name).jsonl").split(separator: "\n").map(String.init)
  }

  /// What an extension noted, in order; of events their type, of telemetry its type.
  func story(of name: String = "agent") -> [String] {
    lines(of: name).map { line in
      let words = [value("eventType", in: line), value("type", in: line)].compactMap { $0 }
      let what = value("what", in: line) ?? "?"
      return what == "event" || what == "telemetry" ? words.first ?? what : what
    }
  }

  /// Waits until `condition` holds for the lines of a journal.
  func eventually(
    _ name: String = "agent", sourceLocation: SourceLocation = #_sourceLocation, _ condition: ([String]) -> Bool
  ) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while !condition(lines(of: name)) {
      if ContinuousClock.now > end {
        Issue.record("Nothing came of it; the journal: \(lines(of: name))", sourceLocation: sourceLocation)
        return
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  func remove() {
    for folder in [directory, journal] {
      for name in files(in: folder) { unsafe unlink("\(folder)/\(name)") }
      unsafe rmdir(folder)
    }
    unsafe rmdir(String(journal.dropLast("/journal".count)))
  }
}

/// Where the scripts of the tests are.
let fixtures = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex)) + "/Fixtures"

/// The value of the first member of that name in a line that Python's json module wrote: a text, or what stands there.
func value(_ name: String, in line: String) -> String? {
  guard let range = line.firstRange(of: "\"\(name)\": ") else { return nil }
  let rest = line[range.upperBound...]
  if rest.first == "\"" { return String(rest.dropFirst().prefix { $0 != "\"" }) }
  return String(rest.prefix { !",}]".contains($0) })
}

/// The bytes of a file as text; nothing if there is none.
func text(_ path: String) -> String {
  let descriptor = unsafe open(path, O_RDONLY)
  guard descriptor >= 0 else { return "" }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = unsafe read(descriptor, &chunk, chunk.count)
    guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
    bytes += chunk[..<count]
  }
}

func files(in folder: String) -> [String] {
  guard let stream = unsafe opendir(folder) else { return [] }
  defer { unsafe closedir(stream) }
  var names: [String] = []
  while let entry = unsafe readdir(stream) {
    let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
      unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names
}
