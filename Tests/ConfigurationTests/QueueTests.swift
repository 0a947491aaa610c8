import Configuration
import Lifecycle
import Testing

@Suite struct `Queues of a configuration` {
  private func file(_ queues: String) -> String { "functions:\n  mailer: {command: [a]}\nqueues:\n\(queues)\n" }

  @Test func `are read with what the file says, and defaults for the rest`() throws {
    let reading = reading(
      file(
        """
          mail.fifo: {function: mailer, batch: 3, maximumReceives: 7, retryDelay: 2s, visibilityTimeout: 1m, retention: 1h,
            delay: 5s, deadLetterQueue: lost.fifo, contentBasedDeduplication: false, maximumConcurrency: 4,
            reportBatchItemFailures: true}
          plain: {function: mailer, retryDelay: visibilityTimeout, deadLetterQueue: none}
          free:
        """))
    #expect(reading.problems == [])
    let queues = reading.configuration.queues
    #expect(queues.map(\.name) == ["mail.fifo", "plain", "free"])
    let mail = try #require(queues.first)
    #expect(mail.function == "mailer" && mail.batch == 3 && mail.maximumReceives == 7 && mail.maximumConcurrency == 4)
    #expect(mail.retry == .after(.seconds(2)) && mail.visibilityTimeout == .seconds(60) && mail.delay == .seconds(5))
    #expect(mail.retention == .seconds(3600) && mail.deadLetterQueue == "lost.fifo")
    #expect(mail.contentBasedDeduplication == false && mail.reportBatchItemFailures == true && mail.isFIFO)
    #expect(queues[1].retry == .visibilityTimeout && queues[1].deadLetterQueue == nil)
    #expect(queues[2].function == nil && queues[2].deadLetterQueue == "free-dlq" && queues[2].maximumReceives == 5)
  }

  @Test(arguments: [
    ProblemCase(
      testDescription: "a function that there is not", text: "  q: {function: mailre}", expected: ["4:17: ", "mailer"]),
    ProblemCase(testDescription: "a name", text: "  a b: {}", expected: ["4:3: "]),
    ProblemCase(testDescription: "a key", text: "  q: {maxReceiveCount: 3}", expected: ["4:7: ", "maximumReceives"]),
    ProblemCase(testDescription: "a batch", text: "  q: {batch: 11}", expected: ["4:14: "]),
    ProblemCase(testDescription: "a delay", text: "  q: {delay: 16m}", expected: ["4:14: ", "15m"]),
    ProblemCase(testDescription: "itself", text: "  q: {deadLetterQueue: q}", expected: ["4:24: "]),
    ProblemCase(
      testDescription: "another kind", text: "  q: {deadLetterQueue: d.fifo}", expected: ["4:24: ", "q-dlq"]),
    ProblemCase(
      testDescription: "deduplication of a standard queue", text: "  q: {contentBasedDeduplication: true}",
      expected: ["4:34: ", "q.fifo"]),
    ProblemCase(testDescription: "a text", text: "  q: mailer", expected: ["4:6: "]),
  ])
  func `have their problems named`(_ given: ProblemCase) {
    let problems = reading(file(given.text)).problems
    #expect(problems.count == 1)
    for part in given.expected { #expect(problems.contains { "\($0)".contains(part) }, "\(problems)") }
  }

  @Test func `are warned about what has no effect`() {
    let warnings = reading(file("  q: {batch: 3, maximumReceives: 2, deadLetterQueue: none}")).warnings
    #expect(warnings.map(\.line) == [4, 4])
  }
}
