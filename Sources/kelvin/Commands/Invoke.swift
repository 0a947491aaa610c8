import ArgumentParser
import BlockingHTTP
import Text

struct Invoke: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sends an event to a function and prints its answer.",
    discussion: """
      If the function fails, the command prints its error on standard error and exits with 1. Without a version or \
      alias, it calls the alias current, which has the provisioned instances.

      Examples:
        kelvin invoke orders '{"id": 1}'
        kelvin invoke orders @event.json
        echo '{"id": 1}' | kelvin invoke orders -
        kelvin invoke orders --qualifier '$LATEST' --tail
      """)

  /// The largest event that AWS Lambda takes in a synchronous invocation, in bytes.
  static let payloadBytesLimit = 6_291_556

  @Argument(help: "The name of the function; a version or alias may follow after a colon.", completion: .functions)
  var function: String

  @Argument(help: "The event as JSON; @file reads it from a file, - from standard input.")
  var payload = "{}"

  @Option(
    help:
      "The version or alias, unless it follows the function's name: a number, an alias, or $LATEST. (default: current)")
  var qualifier: String?

  @Flag(name: .customLong("event"), help: "Send the event without waiting for the answer (an asynchronous invocation).")
  var isAsynchronous = false

  @Flag(
    name: [.customLong("tail"), .customLong("log")], help: "Show the end of the invocation's log on standard error.")
  var showsLog = false

  @OptionGroup var host: HostOptions

  func validate() throws {
    if isAsynchronous, showsLog {
      throw ValidationError("--tail needs the answer, and --event does not wait for it; leave one out.")
    }
  }

  func run() async throws {
    try await reportingFailure {
      let body = try payloadBytes()
      let client = try ServerClient(.host, option: host.host)
      var request = ClientRequest("POST", Invoke.path(function, qualifier: qualifier), body: body)
      request.headers.append("Content-Type", "application/json")
      request.headers.append("X-Amz-Invocation-Type", isAsynchronous ? "Event" : "RequestResponse")
      if showsLog { request.headers.append("X-Amz-Log-Type", "Tail") }
      // The longest that a function may run is 900 s, after an initialization.
      try finish(client.send(request, timeout: .seconds(960)), of: client)
    }
  }

  private func payloadBytes() throws -> [UInt8] {
    if payload == "-" { return try Console.input(bytesLimit: Invoke.payloadBytesLimit) }
    if payload.hasPrefix("@") {
      return try Console.file(String(payload.dropFirst()), bytesLimit: Invoke.payloadBytesLimit)
    }
    return Array(payload.utf8)
  }

  private func finish(_ reply: HTTPReply, of client: ServerClient) throws {
    if let log = reply.headers["X-Amz-Log-Result"], let text = Base64.decodePadded(log), !text.isEmpty {
      let lines = String(decoding: text, as: UTF8.self)
      Console.message(lines.hasSuffix("\n") ? String(lines.dropLast()) : lines)
    }
    switch reply.status {
    case 202:
      Console.message("The host accepted the event; request id \(reply.headers["x-amzn-RequestId"] ?? "unknown").")
    case 200..<300:
      guard let error = reply.headers["X-Amz-Function-Error"] else { return try Console.foreignResult(reply.body) }
      Console.message(reply.text)
      throw CommandFailure.failure("The function \(function) failed (\(error)). \(explanation(from: client))")
    case 400 where reply.headers["x-amzn-ErrorType"]?.hasPrefix("InvalidRequestContent") == true:
      throw CommandFailure.usage(
        "The event is not JSON. \(Sentence.text(Invoke.message(of: reply))) In a shell, write it in single quotes: "
          + "kelvin invoke \(function) '{\"id\": 1}'; @FILE reads it from a file, - from standard input.")
    case 404: throw notFound(reply, client)
    case 429:
      throw CommandFailure.failure(
        "The host throttled the function \(function): \(Invoke.message(of: reply))")
    default: throw CommandFailure.failure("The host answered \(reply.status): \(Invoke.message(of: reply))")
    }
  }

  /// Why the function cannot start, if that is why it failed; else where there is more.
  private func explanation(from client: ServerClient) -> String {
    let name = UnknownFunction.plainName(function)
    // The function's failure is the news; a host that says no more about it has said enough.
    if let reason = (try? HostNotes.asked(name, of: client))?.startFailure {
      return "It cannot start: \(StartFailureText.sentences(reason, of: name))"
    }
    return "Its log: kelvin logs \(name)"
  }

  /// There is no such function, or no such version of it.
  private func notFound(_ reply: HTTPReply, _ client: ServerClient) -> CommandFailure {
    let name = UnknownFunction.plainName(function)
    let known = HostNotes.names(of: client)
    guard known?.contains(name) == true else {
      return UnknownFunction.failure(name, known: known, at: "at \(client.address)")
    }
    return .failure("The function \(name) has no such version or alias: \(Invoke.message(of: reply))")
  }

  /// AWS's sentence in an error document; else all of it.
  static func message(of reply: HTTPReply) -> String {
    // A body that is no error document is shown as it is.
    let document = try? JSONValue(reply.body.span, .answer)
    guard let message = document?["message"]?.string ?? document?["Message"]?.string else { return reply.text }
    let codes = [reply.headers["x-amzn-ErrorType"], document?["Reason"]?.string].compactMap { $0.map(TypedText.safe) }
    return TypedText.safe(message) + (codes.isEmpty ? "" : " (\(codes.joined(separator: ", ")))")
  }

  /// The path of AWS's Invoke, with whatever a name holds percent-encoded.
  ///
  /// Without a version or alias it is `current`, which has the function's provisioned concurrency.
  static func path(_ function: String, qualifier: String?) -> String {
    let path = "/2015-03-31/functions/\(PercentEncoding.encoded(function))/invocations"
    guard let qualifier = qualifier ?? (hasQualifier(function) ? nil : "current") else { return path }
    return "\(path)?Qualifier=\(PercentEncoding.encoded(qualifier))"
  }

  /// Whether a reference has more than the name of a function: `name:qualifier`, or a whole or partial ARN with one.
  private static func hasQualifier(_ function: String) -> Bool {
    let parts = function.split(separator: ":", omittingEmptySubsequences: false)
    guard let word = parts.firstIndex(of: "function"), word > 0 else { return parts.count > 1 }
    return parts.count > word + 2
  }
}
