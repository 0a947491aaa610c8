import Lifecycle
import Text

/// Reads the section `queues`.
struct QueueReader {
  var nodes: NodeReader
  /// The names of the functions that queues may name.
  let functions: [String]
  var queues: [QueueConfiguration] = []

  init(_ nodes: NodeReader, functions: [String]) {
    self.nodes = nodes
    self.functions = functions
  }

  private static let keys = [
    "function", "batch", "maximumReceives", "retryDelay", "visibilityTimeout", "retention", "delay", "deadLetterQueue",
    "contentBasedDeduplication", "maximumConcurrency", "reportBatchItemFailures",
  ]
  private static let nameBytesMax = 80
  /// What is written for `deadLetterQueue` by whoever wants none.
  private static let noQueue = "none"

  mutating func read(_ section: YAMLNode.Entry) {
    let entries = nodes.uniqueEntries(of: section.value, name: "queues")
    guard entries.count <= KelvinConfiguration.queuesLimit else {
      nodes.add(
        section.value,
        "queues has \(entries.count) entries; at most \(KelvinConfiguration.queuesLimit) are allowed.")
      return
    }
    for entry in entries { readQueue(entry) }
  }

  private mutating func readQueue(_ entry: YAMLNode.Entry) {
    guard Self.isName(entry.key) else {
      let message =
        "\(quoted(entry.key)) is not a valid name for a queue; write 1 to \(Self.nameBytesMax) letters, digits, - and _, "
        + "and .fifo at the end for a FIFO queue."
      nodes.problems.append(ConfigurationProblem(line: entry.line, column: entry.column, message: message))
      return
    }
    let keys = nodes.entries(of: entry.value, name: "the queue \(quoted(entry.key))", keys: Self.keys)
    var queue = QueueConfiguration(name: entry.key, deadLetterQueue: Self.deadLetters(of: entry.key))
    queue.line = entry.line
    queue.function = function(keys["function"])
    queue.batch = nodes.integer(keys["batch"], in: 1...10) ?? queue.batch
    queue.maximumReceives = nodes.integer(keys["maximumReceives"], in: 1...1_000) ?? queue.maximumReceives
    queue.maximumConcurrency = nodes.integer(keys["maximumConcurrency"], in: 1...1_000)
    queue.reportBatchItemFailures = nodes.boolean(keys["reportBatchItemFailures"])
    queue.retry = retry(keys["retryDelay"]) ?? queue.retry
    queue.visibilityTimeout =
      duration(keys["visibilityTimeout"], from: .zero, to: .seconds(43_200)) ?? queue.visibilityTimeout
    queue.retention = duration(keys["retention"], from: .seconds(60), to: .seconds(14 * 86_400)) ?? queue.retention
    queue.delay = duration(keys["delay"], from: .zero, to: .seconds(900)) ?? queue.delay
    readDeadLetters(keys, into: &queue)
    if let flag = nodes.boolean(keys["contentBasedDeduplication"]) { queue.contentBasedDeduplication = flag }
    if !queue.isFIFO, let entry = keys["contentBasedDeduplication"] {
      nodes.add(
        entry.value,
        "contentBasedDeduplication is for FIFO queues; take it out, or call the queue \(queue.name)\(QueueConfiguration.suffix)."
      )
    }
    for name in ["batch", "retryDelay", "maximumConcurrency", "reportBatchItemFailures"]
    where queue.function == nil && keys["function"] == nil {
      nodes.warn(keys[name], "has no effect: the queue \(quoted(queue.name)) has no function")
    }
    queues.append(queue)
  }

  private static func isName(_ text: String) -> Bool {
    let stem = text.hasSuffix(QueueConfiguration.suffix) ? text.dropLast(QueueConfiguration.suffix.count) : text[...]
    return !stem.isEmpty && text.utf8.count <= nameBytesMax
      && stem.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }

  /// The dead-letter queue of a queue that names none.
  private static func deadLetters(of name: String) -> String {
    name.hasSuffix(QueueConfiguration.suffix)
      ? name.dropLast(QueueConfiguration.suffix.count) + "-dlq" + QueueConfiguration.suffix : name + "-dlq"
  }

  private mutating func function(_ entry: YAMLNode.Entry?) -> String? {
    guard let entry, let name = nodes.text(entry) else { return nil }
    if functions.contains(name) { return name }
    let hint =
      Suggestion.closest(to: name, in: functions).map { "did you mean \($0)?" }
      ?? (functions.isEmpty
        ? "write one below functions." : "its functions are \(functions.prefix(20).joined(separator: ", ")).")
    nodes.add(entry.value, "function: the file has no function \(quoted(name)); \(hint)")
    return nil
  }

  private mutating func readDeadLetters(_ keys: [String: YAMLNode.Entry], into queue: inout QueueConfiguration) {
    guard let entry = keys["deadLetterQueue"], let name = nodes.text(entry) else { return }
    if name == Self.noQueue {
      queue.deadLetterQueue = nil
      nodes.warn(keys["maximumReceives"], "has no effect: deadLetterQueue is none")
      return
    }
    let isFIFO = name.hasSuffix(QueueConfiguration.suffix)
    if !Self.isName(name) {
      nodes.add(entry.value, "deadLetterQueue: \(quoted(name)) is not a valid name for a queue; write one, or none.")
    } else if name == queue.name {
      nodes.add(entry.value, "deadLetterQueue: \(quoted(name)) is the queue itself; write another name, or none.")
    } else if isFIFO != queue.isFIFO {
      nodes.add(
        entry.value,
        "deadLetterQueue: dead letters of a FIFO queue need a FIFO queue, those of another queue need another; write "
          + "\(Self.deadLetters(of: queue.name)).")
    } else {
      queue.deadLetterQueue = name
    }
  }

  private mutating func retry(_ entry: YAMLNode.Entry?) -> QueueConfiguration.Retry? {
    guard let entry else { return nil }
    if case .text("visibilityTimeout", _) = entry.value.value { return .visibilityTimeout }
    return duration(entry, from: .zero, to: .seconds(900)).map { .after($0) }
  }

  private mutating func duration(
    _ entry: YAMLNode.Entry?, from least: Nanoseconds, to most: Nanoseconds
  ) -> Nanoseconds? {
    guard let entry, let length = nodes.duration(entry) else { return nil }
    if (least...most).contains(length) { return length }
    nodes.add(
      entry.value,
      "\(entry.key) must be from \(DurationText.text(least)) to \(DurationText.text(most)), but is "
        + "\(DurationText.text(length)).")
    return nil
  }
}
