import Lifecycle
import NIOCore
import QueueAPI
import Testing

/// An answer of a function, and the positions that it says failed, of three messages.
private struct ReplyCase: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var answer: String
  var standard: [Int]
  var fifo: [Int]
  /// By the rule that believes a list only where there is one.
  var ifGiven: [Int]?
}

private let ids = (1...3).map { Identifier128(high: 0x1234, low: UInt64($0)) }

private func failed(_ identifiers: String...) -> String {
  #"{"batchItemFailures":[\#(identifiers.map { #"{"itemIdentifier":\#($0)}"# }.joined(separator: ","))]}"#
}

private func quoted(_ position: Int) -> String { "\"\(ids[position].uuidText)\"" }

@Suite struct `Answers about batches` {
  private static let cases = [
    ReplyCase(testDescription: "nothing", answer: "", standard: [], fifo: []),
    ReplyCase(testDescription: "null", answer: "null", standard: [], fifo: []),
    ReplyCase(testDescription: "an empty object", answer: "{}", standard: [], fifo: []),
    ReplyCase(testDescription: "no list", answer: #"{"batchItemFailures":null}"#, standard: [], fifo: []),
    ReplyCase(testDescription: "an empty list", answer: failed(), standard: [], fifo: []),
    ReplyCase(testDescription: "the second", answer: failed(quoted(1)), standard: [1], fifo: [1, 2]),
    ReplyCase(
      testDescription: "two, not in order", answer: failed(quoted(2), quoted(0)), standard: [0, 2], fifo: [0, 1, 2]),
    ReplyCase(testDescription: "an unknown one", answer: failed("\"x\""), standard: [0, 1, 2], fifo: [0, 1, 2]),
    ReplyCase(
      testDescription: "an empty one", answer: failed(quoted(2), "\"\""), standard: [0, 1, 2], fifo: [0, 1, 2]),
    ReplyCase(testDescription: "a null one", answer: failed("null"), standard: [0, 1, 2], fifo: [0, 1, 2]),
    ReplyCase(
      testDescription: "a wrong key", answer: #"{"batchItemFailures":[{"id":\#(quoted(0))}]}"#, standard: [0, 1, 2],
      fifo: [0, 1, 2]),
    ReplyCase(testDescription: "no JSON", answer: "{", standard: [0, 1, 2], fifo: [0, 1, 2], ifGiven: []),
    ReplyCase(testDescription: "a text", answer: #""sent""#, standard: [0, 1, 2], fifo: [0, 1, 2], ifGiven: []),
    ReplyCase(
      testDescription: "a list that is none", answer: #"{"batchItemFailures":7}"#, standard: [0, 1, 2],
      fifo: [0, 1, 2],
      ifGiven: []),
  ]

  @Test(arguments: cases)
  private func `says which messages failed`(_ given: ReplyCase) {
    let answer = ByteBuffer(string: given.answer)
    #expect(BatchReply.failures(in: answer, of: ids, isFIFO: false, rule: .strict) == given.standard)
    #expect(BatchReply.failures(in: answer, of: ids, isFIFO: true, rule: .strict) == given.fifo)
    #expect(BatchReply.failures(in: answer, of: ids, isFIFO: true, rule: .ifGiven) == given.ifGiven ?? given.fifo)
    #expect(BatchReply.failures(in: answer, of: ids, isFIFO: true, rule: .ignored) == [])
  }
}
