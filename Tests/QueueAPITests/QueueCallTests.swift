import HostRules
import Lifecycle
import NIOCore
import QueueAPI
import Testing

@Suite struct `Calls of SQS` {
  private func call(_ operation: String, _ body: String) throws(QueueError) -> QueueCall {
    try QueueCall(target: "AmazonSQS.\(operation)", body: ByteBuffer(string: body), authority: "localhost:1")
  }

  private func entry(_ members: String, isFIFO: Bool = false, _ settings: QueueSettings = QueueSettings()) throws
    -> SendEntry
  {
    try SendEntry(call("SendMessage", "{\(members)}"), isFIFO: isFIFO, settings)
  }

  @Test(arguments: ["a", "mail.fifo", "A-b_9", String(repeating: "x", count: 80)])
  func `takes names of queues`(name: String) { #expect(QueueName.isName(name)) }

  @Test(arguments: ["", ".fifo", "a.b", "a b", "é", String(repeating: "x", count: 81), "a/b", "a.fifo.fifo"])
  func `refuses what is no name`(name: String) { #expect(!QueueName.isName(name)) }

  @Test func `an address and an ARN name a queue`() {
    let identity = HostIdentity()
    #expect(QueueName.name(url: QueueName.url(of: "q.fifo", authority: "h:1", identity)) == "q.fifo")
    #expect(QueueName.name(arn: QueueName.arn(of: "q", identity)) == "q")
    #expect(QueueName.name(arn: "arn:aws:sns:us-east-1:0:q") == nil)
    #expect(QueueName.name(url: "http://h/0/") == nil || QueueName.name(url: "http://h/0/") == "0")
  }

  @Test func `a receipt handle is read only whole`() {
    let handle = ReceiptHandle(queue: 3, sequence: 1 << 41, receives: 2)
    #expect(ReceiptHandle(handle.text) == handle)
    #expect(ReceiptHandle(String(handle.text.dropLast(4))) == nil)
    #expect(ReceiptHandle("") == nil)
    #expect(ReceiptHandle(String(repeating: "A", count: 1 << 16)) == nil)
  }

  @Test func `the checksum of attributes is that of SQS`() throws {
    let members =
      #""MessageBody":"x","MessageAttributes":{"b":{"DataType":"Binary","BinaryValue":"AP8="},"a":{"DataType":"String","StringValue":"é"}}"#
    let attributes = try entry(members).attributes
    #expect(attributes.map(\.name) == ["a", "b"])
    #expect(MessageAttribute.stored(MessageAttribute.stored(attributes)) == attributes)
    // As Python's hashlib has it of the bytes that SQS's documentation says.
    #expect(MessageAttribute.digest(attributes) == "8ed215b7ffae53a0b0f0a2ee4aeece7c")
    #expect(MessageAttribute.chosen(attributes, by: ["b.*", "a"]).map(\.name) == ["a"])
  }

  @Test(arguments: [
    "", #""MessageBody":"""#, #""MessageBody":7"#, #""MessageBody":"\u0000""#, #""MessageBody":"\uffff""#,
    #""MessageBody":"x","DelaySeconds":-1"#, #""MessageBody":"x","DelaySeconds":1.5"#,
    #""MessageBody":"x","MessageAttributes":{"":{"DataType":"String","StringValue":"v"}}"#,
    #""MessageBody":"x","MessageAttributes":{"AWS.x":{"DataType":"String","StringValue":"v"}}"#,
    #""MessageBody":"x","MessageAttributes":{"a":{"DataType":"Text","StringValue":"v"}}"#,
    #""MessageBody":"x","MessageAttributes":{"a":{"DataType":"String"}}"#,
    #""MessageBody":"x","MessageAttributes":{"a":{"DataType":"Number","StringValue":"one"}}"#,
    #""MessageBody":"x","MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"?"}}"#,
    #""MessageBody":"x","MessageAttributes":7"#,
    #""MessageBody":"x","MessageDeduplicationId":"d""#,
  ])
  func `refuses a message`(members: String) { #expect(throws: QueueError.self) { try entry(members) } }

  @Test func `a message counts with its attributes`() throws {
    var settings = QueueSettings()
    settings.messageBytesMax = 10
    let attribute = #""MessageAttributes":{"a":{"DataType":"String","StringValue":"v"}}"#
    #expect(try entry(#""MessageBody":"xx",\#(attribute)"#, settings).bytesCount == 10)
    #expect(throws: QueueError.self) { try entry(#""MessageBody":"xxx",\#(attribute)"#, settings) }
  }

  @Test func `deduplication knows a message by its id, its body, and perhaps its group`() throws {
    var settings = QueueSettings()
    settings.contentBasedDeduplication = true
    let one = try entry(#""MessageBody":"x","MessageGroupId":"a""#, isFIFO: true, settings)
    let other = try entry(#""MessageBody":"x","MessageGroupId":"b""#, isFIFO: true, settings)
    #expect(one.deduplicationID == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
    #expect(one.deduplicationKey(settings) == other.deduplicationKey(settings))
    settings.deduplicatesPerGroup = true
    #expect(one.deduplicationKey(settings) != other.deduplicationKey(settings))
  }

  @Test func `settings outlive the store`() throws {
    var settings = QueueSettings()
    try QueueAttributes.apply(
      [
        "VisibilityTimeout": "7", "DelaySeconds": "8", "MessageRetentionPeriod": "90", "MaximumMessageSize": "2000",
        "ReceiveMessageWaitTimeSeconds": "3", "ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup",
        "RedrivePolicy": #"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:d.fifo","maxReceiveCount":"4"}"#,
      ], to: &settings, isFIFO: true)
    #expect(settings.deadLetters == .init(queue: "d.fifo", maximumReceives: 4))
    #expect(QueueAttributes.stored(QueueAttributes.stored(settings, isFIFO: true), isFIFO: true) == settings)
    #expect(QueueAttributes.stored("nothing of ours", isFIFO: true) == QueueSettings())
  }
}
