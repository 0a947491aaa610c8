import ArgumentParser
import Glibc

struct Init: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a working example: a kelvin.yaml and a function.",
    discussion: """
      The command overwrites nothing, and prints what to type next.

      Examples:
        kelvin init hello
        kelvin init --runtime node hello
      """)

  enum Runtime: String, CaseIterable, ExpressibleByArgument {
    case python, node, swift
  }

  @Option(help: "The language of the function.")
  var runtime = Runtime.python

  @Option(
    help: ArgumentHelp(
      "For swift: the folder of Kelvin's source code, which has the library for functions. Default: the folder that "
        + "this program was built from.",
      valueName: "folder"), completion: .directory)
  var source: String?

  @Argument(
    help: ArgumentHelp("Where to write the files; created if missing.", valueName: "folder"), completion: .directory)
  var folder = "."

  func validate() throws {
    guard runtime == .swift || source == nil else { throw ValidationError("--source works only with --runtime swift.") }
    guard !folder.isEmpty else { throw ValidationError("The folder's name is empty; give one, such as hello.") }
  }

  func run() async throws {
    try await reportingFailure {
      let point = try startingPoint()
      try NewFiles.write(point.files, in: folder)
      try Console.result(text(point))
    }
  }

  private func startingPoint() throws(CommandFailure) -> StartingPoint {
    switch runtime {
    case .python: return .python
    case .node: return .node
    case .swift:
      let source = self.source ?? Init.builtFrom
      guard let path = NewFiles.absolute(source), NewFiles.exists("\(path)/Sources/FunctionRuntime") else {
        throw .usage(
          "A function in Swift needs Kelvin's source code, which is not in \(source). Name its folder: "
            + "kelvin init --runtime swift --source FOLDER")
      }
      return .swift(source: path)
    }
  }

  /// The folder of the source that this program was built from.
  private static let builtFrom = #filePath.split(separator: "/").dropLast(4).map { "/\($0)" }.joined()

  private func text(_ point: StartingPoint) -> String {
    let isHere = NewFiles.absolute(folder) == NewFiles.absolute(".")
    let change = isHere ? [] : ["cd \(Init.shellWord(folder))"]
    let next = change + point.preparations + ["kelvin host"]
    let then = change + ["kelvin invoke hello '{\"name\": \"Ada\"}'"]
    let names = point.files.map(\.path).joined(separator: ", ")
    return """
      Wrote \(names)\(isHere ? "" : " in \(TypedText.safe(folder))").

      Next:
      \(next.map { "  \($0)" }.joined(separator: "\n"))

      Then, in another terminal:
      \(then.map { "  \($0)" }.joined(separator: "\n"))
      """
  }

  /// A text as one word of a shell.
  private static func shellWord(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: ","):
        true
      default: false
      }
    }
    if isPlain, !text.hasPrefix("-") { return text }
    let path = text.hasPrefix("-") ? "./\(text)" : text
    return "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
