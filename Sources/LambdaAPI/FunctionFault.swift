import Text
package import Lifecycle
package import NIOCore
package import NIOHTTP1

/// The end of an invocation, as the host's front doors see it.
package enum InvocationResult: Sendable {
  /// The function answered with these bytes.
  case success(ByteBuffer)
  /// The function, or the host in its name, reports an error.
  case failure(FunctionFault)
}

/// An invocation that did not end in success: what is counted, and what the caller is given.
package struct FunctionFault: Sendable {
  /// How it is counted.
  package var outcome: Outcome
  /// Whose time had passed; only of a timeout.
  package var timeoutSource: TimeoutSource?
  /// What telemetry calls it; `nil` if it is not its business.
  package var errorType: String?
  /// AWS's sentence about it; empty if it is the runtime's own.
  package var message: String
  /// Whether it is the host's own failure, and the function has not run: then the caller is given a 500 in AWS's words.
  package var isHostsOwn: Bool
  /// The document that the caller of `Invoke` is given (the runtime's own, unchanged, or AWS's).
  package var document: ByteBuffer

  /// Makes a fault of its parts.
  package init(
    outcome: Outcome, timeoutSource: TimeoutSource? = nil, errorType: String? = nil, message: String = "",
    isHostsOwn: Bool = false, document: ByteBuffer
  ) {
    self.outcome = outcome
    self.timeoutSource = timeoutSource
    self.errorType = errorType
    self.message = message
    self.isHostsOwn = isHostsOwn
    self.document = document
  }

  /// What the function's runtime reported itself.
  ///
  /// - Parameter errorType: As ``normalizedErrorType(_:)`` gives it.
  package static func reported(_ document: ByteBuffer, errorType: String? = nil) -> FunctionFault {
    FunctionFault(outcome: .error, errorType: errorType, document: document)
  }

  /// The runtime gave up at the handler's own deadline.
  package static func handlerTimeout(_ document: ByteBuffer) -> FunctionFault {
    FunctionFault(outcome: .timeout, timeoutSource: .handler, document: document)
  }

  /// The function's timeout, or the initialization's, has passed.
  package static func timedOut(_ request: RequestID, after limit: Nanoseconds, source: TimeoutSource) -> FunctionFault {
    let message =
      "RequestId: \(request.value.uuidText) Error: Task timed out after \(secondsText(limit)) seconds"
    return FunctionFault(
      outcome: .timeout, timeoutSource: source, message: message,
      document: document(type: "Sandbox.Timedout", message: message))
  }

  /// One of the instance's extensions failed.
  package static func extensionFailed(_ request: RequestID, _ type: String, _ message: String) -> FunctionFault {
    let text = "RequestId: \(request.value.uuidText) Error: \(message)"
    return crash(type, text)
  }

  /// The function's answer is over the limit.
  ///
  /// - Parameter limit: ``PayloadLimits/answerBytesMax`` or ``PayloadLimits/streamBytesMax``.
  package static func answerTooLarge(limit: Int = PayloadLimits.answerBytesMax) -> FunctionFault {
    FunctionFault(
      outcome: .error,
      document: document(
        type: "Function.ResponseSizeTooLarge",
        message: "Response payload size exceeded maximum allowed payload size (\(limit) bytes).")
    )
  }

  /// What the runtime reported behind an answer that it sent piece by piece; `nil` if it reported no error.
  ///
  /// - Parameter trailers: `Lambda-Runtime-Function-Error-Type`, and `Lambda-Runtime-Function-Error-Body` with the error's document as
  ///   Base64. A body that is no Base64 is left out.
  package static func reported(in trailers: HTTPHeaders?) -> FunctionFault? {
    let type = trailers?.first(name: "Lambda-Runtime-Function-Error-Type")
    let body = trailers?.first(name: "Lambda-Runtime-Function-Error-Body")
    guard type != nil || body != nil else { return nil }
    let decoded = body.flatMap { Base64.decode($0) }.map { ByteBuffer(bytes: $0) }
    return reported(decoded ?? document(type: type ?? "Runtime.Unknown", message: ""))
  }

  /// The runtime stopped in the middle of its answer.
  package static func truncated(_ request: RequestID) -> FunctionFault {
    let message = "RequestId: \(request.value.uuidText) Error: The runtime closed its connection within the response"
    return FunctionFault(outcome: .error, document: document(type: "Runtime.TruncatedResponse", message: message))
  }

  /// The runtime asked for a way of answering that there is not.
  package static func invalidResponseMode(_ mode: String) -> FunctionFault {
    FunctionFault(
      outcome: .error,
      document: document(type: "Runtime.InvalidResponseModeHeader", message: "Invalid response mode: \(mode)"))
  }

  /// The host stops and cannot wait any longer.
  package static func stopped(_ request: RequestID) -> FunctionFault {
    let message = "RequestId: \(request.value.uuidText) Error: The function host stopped"
    return crash("Sandbox.Failure", message)
  }

  /// The function, or its extension, broke down.
  ///
  /// - Parameters:
  ///   - type: AWS's name of the error.
  ///   - message: The whole sentence.
  package static func crash(_ type: String, _ message: String) -> FunctionFault {
    FunctionFault(
      outcome: .crash, errorType: type, message: message, document: document(type: type, message: message))
  }

  /// AWS's own documents begin with the type.
  private static func document(type: String, message: String) -> ByteBuffer {
    var writer = JSONWriter()
    writer.object {
      $0.member("errorType", type)
      $0.member("errorMessage", message)
    }
    return writer.buffer
  }

  /// Seconds with two decimals, as AWS writes a timeout.
  package static func secondsText(_ length: Nanoseconds) -> String {
    let hundredths = max(0, (length.count + 5_000_000) / 10_000_000)
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }
}

/// How large payloads may be, in bytes.
package enum PayloadLimits {
  /// An answer, and a synchronous event: 6 MiB and 100 bytes.
  package static let answerBytesMax = 6_291_556
  /// An answer that is sent piece by piece: 200 MiB, whatever stands before it included.
  package static let streamBytesMax = 200 << 20
  /// What stands before such an answer, with status and header fields: 128 KiB.
  package static let preludeBytesMax = 128 << 10
  /// An asynchronous event: 1 MiB.
  package static let asynchronousBytesMax = 1 << 20
  /// A caller's request line and header fields: 1 MiB.
  package static let headerBytesMax = 1 << 20
  /// The client context, encoded.
  package static let clientContextBytesMax = 3583
}
