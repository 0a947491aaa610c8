import Text
import HTTPServer
import HostRules
import LambdaAPI
package import Lifecycle
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// Why the newest initialization of a function failed.
package struct StartFailure: Hashable, Sendable {
  /// The most lines that are kept, and the most characters of each.
  static let linesMax = 5
  static let charactersMax = 300

  /// When it failed.
  package var time: Timestamp
  /// How it ended, in AWS's or the function's own words: no full stop at its end, at most 300 characters.
  package var reason: String
  /// What the instance wrote last, oldest first: at most 5 lines of at most 300 characters.
  package var lines: [String]

  /// Both in one line.
  package var text: String {
    lines.isEmpty ? reason : "\(reason); its last lines: \(lines.joined(separator: " / "))"
  }

  /// - Parameters:
  ///   - fault: What a caller is given.
  ///   - output: What the instance wrote.
  init(_ status: InitializationStatus, _ fault: FunctionFault, output: StartOutput, at time: Timestamp) {
    self.time = time
    lines = output.lines.map { StartFailure.cut($0) }
    // The request that a message names first is none that anybody asked for.
    let words = fault.message.split(separator: " ", maxSplits: 3)
    let isPrefixed = words.count == 4 && words[0] == "RequestId:" && words[2] == "Error:"
    var reason = isPrefixed ? String(words[3]) : fault.message
    if reason.isEmpty { reason = StartFailure.reported(fault.document) }
    let timedOut = "Task timed out after "
    if status == .timeout, reason.hasPrefix(timedOut) {
      reason = "Initialization timed out after " + reason.dropFirst(timedOut.count)
    }
    while reason.last == "." { reason.removeLast() }
    self.reason = StartFailure.cut(reason)
  }

  /// What a runtime says of its own failure: type and message of its document.
  private static func reported(_ document: ByteBuffer) -> String {
    let value = document.json
    let parts = ["errorType", "errorMessage"].compactMap { value?[$0]?.string }.filter { !$0.isEmpty }
    return parts.isEmpty ? "The runtime reported an error" : parts.joined(separator: ": ")
  }

  /// Without control characters, and not too long.
  private static func cut(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(charactersMax) {
      let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
      result.unicodeScalars.append(isControl ? " " : scalar)
    }
    return text.unicodeScalars.count > charactersMax ? result + "…" : result
  }
}

/// The last lines that an instance wrote while it started.
struct StartOutput {
  /// Oldest first, none of them blank; at most ``StartFailure/linesMax``, each a little longer than what is shown of it.
  private(set) var lines: [String] = []

  mutating func append(_ line: String) {
    // A client of AWS's joins the lines of a traceback by carriage returns.
    for part in line.split(separator: "\r").suffix(StartFailure.linesMax)
    where part.contains(where: { !$0.isWhitespace }) {
      lines.append(String(part.prefix(StartFailure.charactersMax + 1)))
    }
    if lines.count > StartFailure.linesMax { lines.removeFirst(lines.count - StartFailure.linesMax) }
  }
}

/// The functions whose newest initialization failed. May be used from any thread.
final class StartFailures: Sendable {
  private let failures = Mutex<[String: StartFailure]>([:])

  /// By the names of functions.
  var all: [String: StartFailure] { failures.withLock { $0 } }

  subscript(function: String) -> StartFailure? {
    get { failures.withLock { $0[function] } }
    set { failures.withLock { $0[function] = newValue } }
  }
}

extension ControlPlane {
  /// What the host says of a function beside AWS's documents, in headers that AWS's clients pass over: where its log is, and
  /// why it cannot start. Percent-encoded, because a header has no other text than ASCII.
  func note(_ function: FunctionIndex, in response: HTTPResponse, in host: isolated HostCore) -> HTTPResponse {
    var response = response
    let name = host[function].id.name
    if let directory = host.configuration.logDirectory {
      response.headers.add(
        name: "X-Kelvin-Log", value: PercentEncoding.encoded("\(directory)/\(name).log", keeping: .visible))
    }
    if let failure = host.startFailures[name] {
      response.headers.add(
        name: "X-Kelvin-Start-Failure", value: PercentEncoding.encoded(failure.text, keeping: .visible))
    }
    return response
  }
}
