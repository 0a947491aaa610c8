import ArgumentParser
import Documents
import Table

struct MetricsHTTP: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "http",
    abstract: "Shows requests over HTTP, their statuses and how long they took, newest window first.",
    discussion: """
      A throttled request counts among the requests, the 4xx (it is a 429) and the throttled; a 504 counts among the 5xx, too.

      Examples:
        kelvin metrics http
        kelvin metrics http --function orders --range 7d --resolution 1h
      """)

  @Option(
    help: "Show only this function. Default: the account, which is all functions together.", completion: .functions)
  var function: String?

  @OptionGroup var windows: WindowOptions

  func run() async throws {
    try await reportingFailure {
      var document = try windows.read(function.map { [("function", $0)] } ?? [], about: function)
      if windows.output == .json { return try Console.result(String(decoding: document.json(), as: UTF8.self)) }
      // What happened over other triggers makes no line here.
      document.windows.removeAll { $0.httpRequests == 0 }
      if windows.output == .csv {
        let text = WindowsCSV.text(document, WindowColumn.http, names: ["function", "version"]) { window in
          [window.function ?? "", window.version ?? ""]
        }
        return try Console.result(text)
      }
      let command = "kelvin metrics http" + (function.map { " --function \($0)" } ?? "")
      try Console.result(
        WindowsTable.text(
          document, .forStandardOutput(isWide: false), columns: WindowColumn.http, command: command))
    }
  }
}
