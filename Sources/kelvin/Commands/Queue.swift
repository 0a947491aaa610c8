import ArgumentParser
import BlockingHTTP
import Configuration
import Lifecycle
import QueueAPI
import Table
import Text

struct Queue: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sends jobs to queues of a host, and shows and moves what is in them.",
    subcommands: [
      QueueSend.self, QueueList.self, QueuePeek.self, QueueRedrive.self, QueuePurge.self,
    ])
}

/// What all commands about queues take.
struct QueueOptions: ParsableArguments {
  @OptionGroup var host: HostOptions

  @Option(name: [.short, .long], help: "The output format.")
  var output = TextOutput.text
}

/// The host that has the queues, asked in SQS's protocol and for what SQS does not have.
struct QueueClient {
  let client: ServerClient

  init(_ options: QueueOptions) throws { client = try ServerClient(.host, option: options.host.host) }

  /// Calls an operation of SQS.
  ///
  /// - Throws: ``CommandFailure`` with the host's sentence if it refuses.
  func call(_ operation: QueueOperation, _ body: (inout JSONWriter) -> Void) throws -> JSONValue {
    var writer = JSONWriter()
    writer.object(body)
    var request = ClientRequest("POST", "/", body: writer.bytes)
    request.headers.append("Content-Type", QueueCall.contentType)
    request.headers.append("X-Amz-Target", QueueCall.targetPrefix + operation.rawValue)
    let reply = try client.send(request)
    let document = try? JSONValue(reply.body.span, .answer)
    guard reply.status != 200 else { return document ?? .object([]) }
    let message = TypedText.safe(document?["message"]?.string ?? document?["Message"]?.string ?? "it says no more")
    let code = reply.headers["x-amzn-query-error"].map { TypedText.safe(String($0.split(separator: ";")[0])) }
    if reply.status < 500 { throw CommandFailure.usage(message + (code.map { " (\($0))" } ?? "")) }
    throw CommandFailure.failure("The host at \(client.address) answered \(reply.status): \(message)")
  }

  /// The queues that there are.
  func list() throws -> JSONValue {
    let reply = try client.get("/kelvin/queues")
    return (try? JSONValue(reply.body.span, .answer)) ?? .null
  }

  /// - Throws: ``CommandFailure`` with a suggestion if there is no such queue.
  func expect(_ name: String) throws {
    let names = try list()["queues"]?.array?.compactMap { $0["name"]?.string } ?? []
    guard !names.contains(name) else { return }
    throw CommandFailure.usage(QueueClient.unknown(name, among: names, at: "\(client.address)"))
  }

  /// The address of a queue, of which the host only looks at the name.
  func url(_ name: String) -> String { "http://\(client.address)/0/\(name)" }

  /// The ARN of a queue, of which the host only looks at the name.
  func arn(_ name: String) -> String { QueueName.arn(of: name, HostIdentity()) }
}

struct QueueSend: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "send",
    abstract: "Sends a job to a queue; the answer comes once it is on the host's disk.",
    discussion: """
      A FIFO queue needs a group: its jobs run one after another, in order. Two jobs with one deduplication id (else, with the \
      same text) within five minutes are one job.

      Examples:
        kelvin queue send mail.fifo '{"id": 1}' --group ada
        kelvin queue send thumbnails @job.json
        echo '{"id": 1}' | kelvin queue send thumbnails - --delay 10
      """)

  @Argument(help: "The queue.")
  var queue: String

  @Argument(help: "The job, any text; @file reads it from a file, - from standard input.")
  var payload: String

  @Option(name: [.short, .long], help: "The group of a FIFO queue.")
  var group: String?

  @Option(name: [.customShort("d"), .long], help: "The deduplication id, in a FIFO queue. Default: the job's text.")
  var deduplication: String?

  @Option(help: "Seconds before the job is given, from 0 to 900; not in a FIFO queue.")
  var delay: Int?

  @OptionGroup var options: QueueOptions

  func run() async throws {
    try await reportingFailure {
      let client = try QueueClient(options)
      let body = try String(validating: payloadBytes(), as: UTF8.self)
      guard let body else {
        throw CommandFailure.usage("The job is not UTF-8 text; encode it, for example with base64.")
      }
      try client.expect(queue)
      let answer = try client.call(.sendMessage) {
        $0.member("QueueUrl", client.url(queue))
        $0.member("MessageBody", body)
        if let group { $0.member("MessageGroupId", group) }
        if let deduplication { $0.member("MessageDeduplicationId", deduplication) }
        if let delay { $0.member("DelaySeconds", delay) }
      }
      if options.output == .json { return try Console.result(answer.text) }
      try Console.result(TypedText.safe(answer["MessageId"]?.string ?? ""))
    }
  }

  private func payloadBytes() throws -> [UInt8] {
    if payload == "-" { return try Console.input(bytesLimit: QueueCall.bodyBytesMax) }
    if payload.hasPrefix("@") {
      return try Console.file(String(payload.dropFirst()), bytesLimit: QueueCall.bodyBytesMax)
    }
    return Array(payload.utf8)
  }
}

struct QueueList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Shows all queues: their functions, and what is in them.",
    discussion: """
      Examples:
        kelvin queue list
        kelvin queue list --output json
      """)

  @OptionGroup var options: QueueOptions

  func run() async throws {
    try await reportingFailure {
      let document = try QueueClient(options).list()
      if options.output == .json { return try Console.result(document.text) }
      let queues = document["queues"]?.array ?? []
      if queues.isEmpty {
        return try Console.result(
          "There are no queues; write some below queues in kelvin.yaml, or make one with SQS's CreateQueue.")
      }
      let text = QueuesTable.text(queues.map(QueueList.row))
      try Console.result(text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }
  }

  private static func row(_ queue: JSONValue) -> QueuesTable.Row {
    let state = queue["state"]?.string ?? "active"
    var function = queue["function"]?.string ?? "-"
    if state != "active", function != "-" { function += " (\(state))" }
    return QueuesTable.Row(
      name: queue["name"]?.string ?? "", function: function, waiting: queue["waiting"]?.int ?? 0,
      delayed: queue["delayed"]?.int ?? 0, inFlight: queue["inFlight"]?.int ?? 0,
      oldest: queue["oldestAgeSeconds"]?.double.map { Nanoseconds(Int64(min(max(0, $0), 1e9) * 1e9)) },
      deadLetters: queue["deadLetterQueue"]?.string ?? "-")
  }
}

struct QueuePeek: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peek",
    abstract: "Shows the oldest jobs of a queue without taking them.",
    discussion: """
      Examples:
        kelvin queue peek mail-dlq.fifo
        kelvin queue peek thumbnails --limit 50 --output json
      """)

  @Argument(help: "The queue.")
  var queue: String

  @Option(help: "How many jobs, from 1 to 100.")
  var limit = 10

  @OptionGroup var options: QueueOptions

  func run() async throws {
    try await reportingFailure {
      let client = try QueueClient(options)
      try client.expect(queue)
      let reply = try client.client.get(
        "/kelvin/queues/\(PercentEncoding.encoded(queue))/messages?limit=\(limit)")
      if options.output == .json { return try Console.foreignResult(reply.body) }
      let messages = (try? JSONValue(reply.body.span, .answer))?["messages"]?.array ?? []
      if messages.isEmpty { return Console.message("The queue \(queue) is empty.") }
      for message in messages {
        var words = ["received \(message["receives"]?.int ?? 0)"]
        for (name, word) in [("group", "group"), ("deadLetterOf", "dead letter of")] {
          if let value = message[name]?.string { words.append("\(word) \(value)") }
        }
        let head = "\(message["sent"]?.string ?? "")  \(message["id"]?.string ?? "")  \(words.joined(separator: ", "))"
        try Console.result(TypedText.safe(head) + "\n  " + TypedText.safe(message["body"]?.string ?? ""))
      }
    }
  }
}

struct QueueRedrive: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redrive",
    abstract: "Moves the jobs of a dead-letter queue back to where they came from.",
    discussion: """
      Examples:
        kelvin queue redrive mail-dlq.fifo
        kelvin queue redrive mail-dlq.fifo --to other.fifo
      """)

  @Argument(help: "The dead-letter queue.")
  var queue: String

  @Option(help: "Another queue to move them to.")
  var to: String?

  @OptionGroup var options: QueueOptions

  func run() async throws {
    try await reportingFailure {
      let client = try QueueClient(options)
      try client.expect(queue)
      if let to { try client.expect(to) }
      let task = try client.call(.startMessageMoveTask) {
        $0.member("SourceArn", client.arn(queue))
        if let to { $0.member("DestinationArn", client.arn(to)) }
      }
      let moved = try wait(client)
      if options.output == .json {
        return try Console.result(
          "{\"taskHandle\":\(JSONValue.string(task["TaskHandle"]?.string ?? "").text),\"moved\":\(moved)}")
      }
      try Console.result("Moved \(moved) \(moved == 1 ? "job" : "jobs") from \(queue).")
    }
  }

  /// The most that is waited for; the host goes on without.
  private static let limit = Duration.seconds(60)

  private func wait(_ client: QueueClient) throws -> Int {
    let clock = ContinuousClock()
    let end = clock.now + Self.limit
    while true {
      let tasks = try client.call(.listMessageMoveTasks) { $0.member("SourceArn", client.arn(queue)) }
      let task = tasks["Results"]?[0]
      let moved = task?["ApproximateNumberOfMessagesMoved"]?.int ?? 0
      if task?["Status"]?.string == "COMPLETED" || clock.now > end { return moved }
      Console.sleep(until: clock.now + .milliseconds(50), clock)
    }
  }
}

struct QueuePurge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "purge", abstract: "Drops all jobs of a queue, also those that somebody has.",
    discussion: """
      Examples:
        kelvin queue purge mail-dlq.fifo
      """)

  @Argument(help: "The queue.")
  var queue: String

  @OptionGroup var options: QueueOptions

  func run() async throws {
    try await reportingFailure {
      let client = try QueueClient(options)
      try client.expect(queue)
      _ = try client.call(.purgeQueue) { $0.member("QueueUrl", client.url(queue)) }
      if options.output == .json { return try Console.result("{}") }
      try Console.result("The queue \(queue) is empty now.")
    }
  }
}

extension QueueClient {
  /// That there is no such queue, with the name that was probably meant.
  fileprivate static func unknown(_ name: String, among names: [String], at address: String) -> String {
    let shown = TypedText.safe(String(name.prefix(100)))
    if let close = Suggestion.closest(to: name, in: names) {
      return "The host at \(address) has no queue \(shown); did you mean \(TypedText.safe(close))?"
    }
    let hint =
      names.isEmpty ? "it has none." : "it has \(names.prefix(20).map { TypedText.safe($0) }.joined(separator: ", "))."
    return "The host at \(address) has no queue \(shown); \(hint)"
  }
}
