import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import Sandboxes

/// One execution environment: its process, its Runtime API, and what it is doing.
///
/// A class without locks: instances belong to ``HostCore`` and never leave its loop.
final class Instance {
  let id: InstanceID
  let key: InstanceKey
  let function: FunctionIndex
  let version: FunctionVersion
  /// Where it is in its life.
  var machine = InstanceMachine()
  /// What it works on: from the hand-over (or the start of an initialization inside of it) until the answer.
  var invocation: Invocation?
  /// Whether it was started inside an invocation.
  let isBound: Bool

  /// The requests of attempts that have another identity than their request, as long as a handler may work on them.
  private var requests: [RequestID: RequestID] = [:]

  /// `nil` as long as there are none.
  var extensions: InstanceExtensions?

  /// What is told of it; changed by ``Reporter`` alone.
  var reports = InstanceReports()

  var server: HTTPServer?
  /// Its sandbox, or what stands for one.
  var lodging = Lodging()
  /// What connects it to its runtime; changed by ``RuntimeCalls`` alone.
  var runtime = RuntimeLink()

  var servedCount: Int64 = 0
  /// The initialization's limit first, the invocation's deadline later.
  var timer: Scheduled<Void>?
  private var memory: (bytes: Int64, readAt: Timestamp)?

  init(
    id: InstanceID, key: InstanceKey, function: FunctionIndex, version: FunctionVersion,
    inside invocation: Invocation?
  ) {
    self.id = id
    self.key = key
    self.function = function
    self.version = version
    self.invocation = invocation
    isBound = invocation != nil
  }

  /// Whether it is of the provisioned pool of its version; else it was started for a request.
  var isProvisioned: Bool { key.pool == .provisioned }
  var initializationType: InitializationType { key.pool.initializationType }

  func restartTimer(_ next: Scheduled<Void>?) {
    timer?.cancel()
    timer = next
  }

  /// The most memory used so far, in bytes. Read at most every ``memoryReadInterval``, because it is a file to read.
  func memoryUsedBytes(at now: Timestamp) -> Int64 {
    if let memory, now - memory.readAt < Instance.memoryReadInterval { return memory.bytes }
    return noteMemory(lodging.sandbox?.memoryUsedBytes() ?? 0, at: now)
  }

  /// Takes a reading of the most memory used; it never falls.
  @discardableResult
  func noteMemory(_ bytes: Int64, at now: Timestamp) -> Int64 {
    let highest = max(bytes, memory?.bytes ?? 0)
    memory = (highest, now)
    return highest
  }

  /// Takes note of an attempt that it is given.
  func noteAttempt(_ invocation: Invocation) {
    if invocation.eventID != invocation.request { requests[invocation.eventID] = invocation.request }
  }

  /// Forgets the attempts on which no handler works.
  func forgetAttempts() {
    if !requests.isEmpty { requests = requests.filter { machine.isOverlapping($0.key) } }
  }

  /// The attempt that a call of the runtime is about.
  ///
  /// - Parameters:
  ///   - request: As the path has it.
  ///   - marked: As the header `Lambda-Runtime-Invocation-Id` has it. Without one it is the attempt that runs; a handler that runs on beside
  ///     it may then be meant, and nobody can say.
  /// - Returns: The zero identity, which no attempt has, if the two contradict each other.
  func attempt(at request: RequestID, marked: String?) -> RequestID {
    guard let marked else {
      if let invocation, invocation.request == request { return invocation.eventID }
      return requests.first { $0.value == request }?.key ?? request
    }
    guard let attempt = Identifier128(text: marked).map(RequestID.init) else { return RequestID(.zero) }
    return requests[attempt] ?? attempt == request ? attempt : RequestID(.zero)
  }

  private static let memoryReadInterval = Nanoseconds.milliseconds(100)

  var phase: InitializationPhase { isBound ? .invocation : .initialization }

  /// Whether the next instance has its sandbox after it: a timeout or a crash resets an environment, and ends none.
  var leavesSandbox: Bool { lodging.isSound && (machine.end?.reason == .timeout || machine.end?.reason == .failure) }
}
