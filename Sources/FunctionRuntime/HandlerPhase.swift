import Text

/// How far one invocation is, between the thread that asks for events and the task that runs the handler.
enum HandlerPhase: Equatable {
  /// The handler runs and is waited for.
  case running
  /// It ended in time; its outcome waits to be sent.
  case finished(HandlerOutcome)
  /// It ran over its deadline and was cancelled; the error is not posted yet.
  case aborted
  /// It ended after it was aborted, before the error was posted.
  case abortedAndEnded
  /// The error is posted, and it still runs.
  case overlapping
  /// Nothing is left to do.
  case over

  /// What to do after the lock is released.
  enum Action: Equatable {
    case nothing
    /// Tell the waiting thread.
    case wake
    /// Cancel the task.
    case cancel
    /// Tell the host that the overlapping execution ended.
    case reportEnd
  }

  mutating func handlerEnded(_ outcome: HandlerOutcome) -> Action {
    switch self {
    case .running:
      self = .finished(outcome)
      return .wake
    case .aborted:
      self = .abortedAndEnded
      return .wake
    case .overlapping:
      self = .over
      return .reportEnd
    case .finished, .abortedAndEnded, .over:
      return .nothing
    }
  }

  mutating func deadlinePassed() -> Action {
    guard case .running = self else { return .nothing }
    self = .aborted
    return .cancel
  }

  mutating func errorPosted() -> Action {
    switch self {
    case .aborted:
      self = .overlapping
      return .nothing
    case .abortedAndEnded:
      self = .over
      return .reportEnd
    case .running, .finished, .overlapping, .over:
      return .nothing
    }
  }
}

/// The result of a handler.
enum HandlerOutcome: Equatable, Sendable {
  case success([UInt8])
  case failure(FunctionFailure)
}

/// An error as the caller of a function gets to see it.
struct FunctionFailure: Equatable, Sendable {
  /// A sentence of the user's.
  var message: String
  /// The name of the error's type.
  var type: String

  init(type: String, message: String) {
    self.type = type
    self.message = message
  }

  init(_ error: any Error) {
    self.init(type: "\(Swift.type(of: error))", message: "\(error)")
  }

  /// What AWS accepts as a header; everything else would be made `Runtime.Unknown`.
  var headerType: String {
    let name = type.utf8
    if type.hasPrefix("Function.") || type.hasPrefix("Runtime.") { return type }
    let isPlain = name.count > 1 && name.allSatisfy { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
    return isPlain && name.first.map { $0 < 0x61 } == true ? "Function.\(type)" : "Function.Unknown"
  }

  var document: [UInt8] {
    let value: JSONValue = ["errorMessage": .string(message), "errorType": .string(type), "stackTrace": []]
    return value.bytes
  }
}
