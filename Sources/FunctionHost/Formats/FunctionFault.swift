import Text
import Lifecycle
import NIOCore
import Sandboxes

/// The end of an invocation, as the host's front doors see it.
enum InvocationResult: Sendable {
  /// The function answered with these bytes.
  case success(ByteBuffer)
  /// The function, or the host in its name, reports an error.
  case failure(FunctionFault)
}

/// An invocation that did not end in success: what is counted, and what the caller is given.
struct FunctionFault: Sendable {
  var outcome: Outcome
  var timeoutSource: TimeoutSource?
  /// What telemetry calls it; `nil` if it is not its business.
  var errorType: String?
  /// AWS's sentence about it; empty if it is the runtime's own.
  var message = ""
  /// Whether it is the host's own failure, and the function has not run: then the caller is given a 500 in AWS's words.
  var isHostsOwn = false
  /// The document that the caller of `Invoke` is given (the runtime's own, unchanged, or AWS's).
  var document: ByteBuffer

  /// What the function's runtime reported itself.
  ///
  /// - Parameter errorType: As ``normalizedErrorType(_:)`` gives it.
  static func reported(_ document: ByteBuffer, errorType: String? = nil) -> FunctionFault {
    FunctionFault(outcome: .error, errorType: errorType, document: document)
  }

  /// The runtime gave up at the handler's own deadline.
  static func handlerTimeout(_ document: ByteBuffer) -> FunctionFault {
    FunctionFault(outcome: .timeout, timeoutSource: .handler, document: document)
  }

  /// The function's timeout, or the initialization's, has passed.
  static func timedOut(_ request: RequestID, after limit: Nanoseconds, source: TimeoutSource) -> FunctionFault {
    let message =
      "RequestId: \(request.value.uuidText) Error: Task timed out after \(secondsText(limit)) seconds"
    return FunctionFault(
      outcome: .timeout, timeoutSource: source, message: message,
      document: document(type: "Sandbox.Timedout", message: message))
  }

  /// The process ended while it owed an answer.
  static func exited(_ request: RequestID, _ ending: ProcessExit.Status) -> FunctionFault {
    let message = "RequestId: \(request.value.uuidText) Error: \(ending.sentence)"
    var fault = crash("Runtime.ExitError", message)
    if ending == .outOfMemory {
      fault.outcome = .outOfMemory
      // The caller is told the signal; telemetry is told why, as on AWS.
      fault.errorType = "Runtime.OutOfMemory"
    }
    return fault
  }

  /// One of the instance's extensions failed.
  static func extensionFailed(_ request: RequestID, _ type: String, _ message: String) -> FunctionFault {
    let text = "RequestId: \(request.value.uuidText) Error: \(message)"
    return crash(type, text)
  }

  /// The process could not be started at all.
  static func notStarted(_ request: RequestID, _ error: any Error) -> FunctionFault {
    let message = "RequestId: \(request.value.uuidText) Error: \(error)"
    switch (error as? ProcessError)?.code {
    case .directory?: return crash("Runtime.InvalidWorkingDir", message)
    case .commandNotFound?, .notExecutable?, .invalidSpecification?: return crash("Runtime.InvalidEntrypoint", message)
    default:
      // No descriptor, no folder, no launcher: nothing that the function could do anything about, and the next start may well succeed.
      var fault = crash("Sandbox.Failure", message)
      fault.outcome = .error
      fault.isHostsOwn = true
      return fault
    }
  }

  /// The function's answer is over the limit.
  static func answerTooLarge() -> FunctionFault {
    FunctionFault(
      outcome: .error,
      document: document(
        type: "Function.ResponseSizeTooLarge",
        message: "Response payload size exceeded maximum allowed payload size (\(PayloadLimits.answerBytesMax) bytes).")
    )
  }

  /// The runtime stopped in the middle of its answer.
  static func truncated(_ request: RequestID) -> FunctionFault {
    let message = "RequestId: \(request.value.uuidText) Error: The runtime closed its connection within the response"
    return FunctionFault(outcome: .error, document: document(type: "Runtime.TruncatedResponse", message: message))
  }

  /// The runtime asked for a way of answering that there is not.
  static func invalidResponseMode(_ mode: String) -> FunctionFault {
    FunctionFault(
      outcome: .error,
      document: document(type: "Runtime.InvalidResponseModeHeader", message: "Invalid response mode: \(mode)"))
  }

  /// The host stops and cannot wait any longer.
  static func stopped(_ request: RequestID) -> FunctionFault {
    let message = "RequestId: \(request.value.uuidText) Error: The function host stopped"
    return crash("Sandbox.Failure", message)
  }

  private static func crash(_ type: String, _ message: String) -> FunctionFault {
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
  static func secondsText(_ length: Nanoseconds) -> String {
    let hundredths = max(0, (length.count + 5_000_000) / 10_000_000)
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }
}

/// How large payloads may be, in bytes.
enum PayloadLimits {
  /// An answer, and a synchronous event: 6 MiB and 100 bytes.
  static let answerBytesMax = 6_291_556
  /// An asynchronous event: 1 MiB.
  static let asynchronousBytesMax = 1 << 20
  /// A caller's request line and header fields: 1 MiB.
  static let headerBytesMax = 1 << 20
  /// The client context, encoded.
  static let clientContextBytesMax = 3583
}

extension ProcessExit.Status {
  /// What AWS tells the caller about it: the signal if the instance broke its memory limit, too.
  var sentence: String {
    switch self {
    case .exited(0): "Runtime exited without providing a reason"
    case .exited(let status): "Runtime exited with error: exit status \(status)"
    case .outOfMemory: Self.signaled(9).sentence
    case .signaled(let signal): "Runtime exited with error: signal: \(Self.name(ofSignal: signal))"
    }
  }

  /// The same of an extension's program.
  var extensionSentence: String {
    switch self {
    case .outOfMemory: Self.signaled(9).extensionSentence
    case .exited(0): "exit code 0"
    case .exited(let status): "exit status \(status)"
    case .signaled(let signal): "signal: \(Self.name(ofSignal: signal))"
    }
  }

  /// The words of Go's syscall.Signal, which AWS's messages are made of.
  private static func name(ofSignal signal: Int32) -> String {
    switch signal {
    case 1: "hangup"
    case 2: "interrupt"
    case 3: "quit"
    case 4: "illegal instruction"
    case 5: "trace/breakpoint trap"
    case 6: "aborted"
    case 7: "bus error"
    case 8: "floating point exception"
    case 9: "killed"
    case 10: "user defined signal 1"
    case 11: "segmentation fault"
    case 12: "user defined signal 2"
    case 13: "broken pipe"
    case 14: "alarm clock"
    case 15: "terminated"
    default: "signal \(signal)"
    }
  }
}
