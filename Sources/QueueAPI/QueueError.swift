package import HTTPServer
import LambdaAPI
package import Lifecycle
import NIOHTTP1
import Text

/// An error in the shape in which SQS reports them.
package struct QueueError: Error, Equatable, Sendable {
  /// The status of the answer.
  package var status: UInt
  /// The name of the error in SQS's model.
  package var shape: String
  /// What clients of the older protocol call it, which is what clients show.
  package var code: String
  /// A sentence, in SQS's words where SQS has the error.
  package var message: String

  /// An error of its parts.
  package init(status: UInt = 400, _ shape: String, code: String? = nil, _ message: String) {
    self.status = status
    self.shape = shape
    self.code = code ?? "AWS.SimpleQueueService.\(shape)"
    self.message = message
  }

  /// There is no such queue.
  package static let noQueue = QueueError(
    "QueueDoesNotExist", code: "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")

  /// A parameter is not there.
  package static func missing(_ name: String) -> QueueError {
    QueueError(
      "MissingRequiredParameterException", code: "MissingParameter", "The request must contain the parameter \(name).")
  }

  /// A parameter has a value that it cannot have.
  package static func invalid(_ message: String) -> QueueError {
    QueueError("InvalidParameterValueException", code: "InvalidParameterValue", message)
  }

  /// A parameter has a value that it cannot have; at most 200 bytes of the value are repeated.
  package static func invalid(_ value: String, of name: String, _ reason: String) -> QueueError {
    invalid("Value \(value.prefix(200)) for parameter \(name) is invalid. Reason: \(reason)")
  }

  /// A receipt handle that no receive has given, or one of another queue.
  package static func badHandle(_ text: String) -> QueueError {
    QueueError(
      status: 404, "ReceiptHandleIsInvalid", code: "ReceiptHandleIsInvalid",
      "The input receipt handle \"\(text.prefix(200))\" is not a valid receipt handle.")
  }

  /// A receipt handle whose message has been received again, or is visible again.
  package static func expiredHandle(_ text: String) -> QueueError {
    invalid(text, of: "ReceiptHandle", "The receipt handle has expired.")
  }

  /// A message whose visibility cannot be changed.
  package static let notInFlight = QueueError(
    "MessageNotInflight", "The message referred to isn't in flight.")

  /// What this host does not have.
  package static func unsupported(_ message: String) -> QueueError { QueueError("UnsupportedOperation", message) }

  /// An attribute of a queue has a value that it cannot have.
  package static func attribute(_ name: String, _ reason: String) -> QueueError {
    QueueError(
      "InvalidAttributeValue", code: "InvalidAttributeValue",
      "Invalid value for the parameter \(name). Reason: \(reason)")
  }

  /// The host cannot keep the message now; nothing of it was kept.
  package static func unavailable(_ reason: String) -> QueueError {
    QueueError(status: 503, "ServiceUnavailable", code: "ServiceUnavailable", reason)
  }

  /// The answer.
  package func response(_ request: RequestID) -> HTTPResponse {
    var writer = JSONWriter()
    writer.object {
      $0.member("__type", "com.amazonaws.sqs#\(shape)")
      $0.member("message", message)
    }
    let headers = HTTPHeaders([
      ("Content-Type", QueueCall.contentType), ("x-amzn-RequestId", request.value.uuidText),
      ("x-amzn-query-error", "\(code);\(status >= 500 ? "Receiver" : "Sender")"),
    ])
    return HTTPResponse(status: HTTPResponseStatus(statusCode: Int(status)), headers: headers, body: writer.buffer)
  }
}
