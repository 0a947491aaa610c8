package import HTTPServer
import LambdaAPI
package import Lifecycle
package import NIOCore
import NIOHTTP1
package import Text

/// An operation of SQS that the host implements, by its name.
package enum QueueOperation: String, CaseIterable, Sendable {
  case sendMessage = "SendMessage"
  case receiveMessage = "ReceiveMessage"
  case deleteMessage = "DeleteMessage"
  case sendMessageBatch = "SendMessageBatch"
  case deleteMessageBatch = "DeleteMessageBatch"
  case changeMessageVisibility = "ChangeMessageVisibility"
  case changeMessageVisibilityBatch = "ChangeMessageVisibilityBatch"
  case createQueue = "CreateQueue"
  case deleteQueue = "DeleteQueue"
  case listQueues = "ListQueues"
  case getQueueURL = "GetQueueUrl"
  case getQueueAttributes = "GetQueueAttributes"
  case setQueueAttributes = "SetQueueAttributes"
  case purgeQueue = "PurgeQueue"
  case listDeadLetterSourceQueues = "ListDeadLetterSourceQueues"
  case startMessageMoveTask = "StartMessageMoveTask"
  case listMessageMoveTasks = "ListMessageMoveTasks"
  case listQueueTags = "ListQueueTags"
  case tagQueue = "TagQueue"
  case untagQueue = "UntagQueue"
}

/// A call of SQS's API in its JSON protocol: the operation, and the members of its body.
package struct QueueCall: Sendable {
  /// The type of bodies both ways.
  package static let contentType = "application/x-amz-json-1.0"
  /// What the header `X-Amz-Target` begins with.
  package static let targetPrefix = "AmazonSQS."
  /// The largest body, in bytes: ten messages of 1 MiB together, and room for escapes and Base64.
  package static let bodyBytesMax = 6_291_556

  /// What is asked for.
  package let operation: QueueOperation
  /// Where the caller found the host, for addresses of queues: `host:port`.
  package let authority: String
  private let members: [String: JSONValue]

  /// Reads a request.
  ///
  /// - Throws: ``QueueError`` if the operation is none, or the body is no JSON object.
  package init(target: String, body: ByteBuffer, authority: String) throws(QueueError) {
    let name = String(target.dropFirst(QueueCall.targetPrefix.count))
    guard target.hasPrefix(QueueCall.targetPrefix), let operation = QueueOperation(rawValue: name) else {
      throw .unsupported("This host does not implement \(name.prefix(100)) of SQS.")
    }
    self.operation = operation
    self.authority = authority
    if body.readableBytes == 0 {
      members = [:]
      return
    }
    guard case .object(let list)? = body.json else {
      throw QueueError("SerializationException", code: "MalformedInput", "The body is not a JSON object.")
    }
    members = Dictionary(list.map { ($0.name, $0.value) }) { _, last in last }
  }

  private init(_ operation: QueueOperation, _ list: [JSONValue.Member], authority: String) {
    self.operation = operation
    self.authority = authority
    members = Dictionary(list.map { ($0.name, $0.value) }) { _, last in last }
  }

  /// The text of a member; `nil` if it is not there or null.
  package func string(_ name: String) throws(QueueError) -> String? {
    switch members[name] {
    case nil, .null: return nil
    case .string(let text): return text
    default: throw wrongType(name, "a string")
    }
  }

  /// The text of a member that has to be there.
  package func required(_ name: String) throws(QueueError) -> String {
    guard let text = try string(name), !text.isEmpty else { throw .missing(name) }
    return text
  }

  /// The whole number of a member; `nil` if it is not there or null.
  ///
  /// - Parameter reason: SQS's sentence about a number outside of `range`.
  package func integer(
    _ name: String, in range: ClosedRange<Int64>, _ reason: String
  ) throws(QueueError) -> Int64? {
    switch members[name] {
    case nil, .null: return nil
    case .number(let text):
      guard let number = Int64(text), range.contains(number) else { throw .invalid(text, of: name, reason) }
      return number
    default: throw wrongType(name, "an integer")
    }
  }

  /// The texts of a list; empty if it is not there or null.
  package func strings(_ name: String) throws(QueueError) -> [String] {
    switch members[name] {
    case nil, .null: return []
    case .array(let items):
      var texts: [String] = []
      for item in items {
        guard case .string(let text) = item else { throw wrongType(name, "a list of strings") }
        texts.append(text)
      }
      return texts
    default: throw wrongType(name, "a list of strings")
    }
  }

  /// The members of a map; empty if it is not there or null. Of members with one name, the last counts.
  package func map(_ name: String) throws(QueueError) -> [JSONValue.Member] {
    switch members[name] {
    case nil, .null: return []
    case .object(let list): return list
    default: throw wrongType(name, "a map")
    }
  }

  /// The members of a map, each of which has to be a text.
  package func texts(_ name: String) throws(QueueError) -> [String: String] {
    var texts: [String: String] = [:]
    for member in try map(name) {
      guard case .string(let text) = member.value else { throw wrongType("\(name).\(member.name)", "a string") }
      texts[member.name] = text
    }
    return texts
  }

  /// The most entries of a batch.
  package static let entriesMax = 10

  /// The entries of a batch, each with its id.
  package func entries() throws(QueueError) -> [(id: String, call: QueueCall)] {
    guard case .array(let items)? = members["Entries"] else { throw .missing("Entries") }
    guard !items.isEmpty else {
      throw QueueError(
        "EmptyBatchRequest", "There should be at least one \(operation.rawValue)RequestEntry in the request.")
    }
    guard items.count <= QueueCall.entriesMax else {
      throw QueueError(
        "TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are \(QueueCall.entriesMax). You have sent \(items.count).")
    }
    var entries: [(id: String, call: QueueCall)] = []
    var ids: Set<String> = []
    for item in items {
      guard case .object(let list) = item else { throw wrongType("Entries", "a list of structures") }
      let call = QueueCall(operation, list, authority: authority)
      let id = try call.required("Id")
      guard (1...80).contains(id.utf8.count), id.utf8.allSatisfy({ QueueName.isNameByte($0) }) else {
        throw QueueError(
          "InvalidBatchEntryId",
          "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 "
            + "letters long.")
      }
      guard ids.insert(id).inserted else {
        throw QueueError("BatchEntryIdsNotDistinct", "Id \(id) repeated.")
      }
      entries.append((id, call))
    }
    return entries
  }

  private func wrongType(_ name: String, _ wanted: String) -> QueueError {
    QueueError("SerializationException", code: "MalformedInput", "\(name) must be \(wanted).")
  }

  /// An answer that `body` writes.
  package static func answer(_ request: RequestID, _ body: (inout JSONWriter) -> Void) -> HTTPResponse {
    var writer = JSONWriter(capacity: 512)
    writer.object(body)
    return HTTPResponse(
      status: .ok,
      headers: HTTPHeaders([("Content-Type", contentType), ("x-amzn-RequestId", request.value.uuidText)]),
      body: writer.buffer)
  }
}
