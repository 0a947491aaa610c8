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

  /// The identities in lifecycle events of requests that have another one there.
  var eventIDs: [RequestID: RequestID] = [:]

  /// `nil` as long as there are none.
  var extensions: InstanceExtensions?

  /// `nil` if nobody can subscribe, or nobody did.
  var telemetry: InstanceTelemetry?
  /// What it works on, until runtime and extensions are done with it.
  var progress: InvocationProgress?
  /// What the caller of the invocation in progress, or of the last one, wants of the log; `nil` if it wants nothing.
  var tail: LogTail?
  /// The name of its log stream; what telemetry calls it.
  var logStream = ""

  var server: HTTPServer?
  var sandbox: (any Sandbox)?
  /// Whom its sandbox tells what happens; ``key``, as long as it has the sandbox.
  var tenant: SandboxTenant?
  var limits = SandboxLimits(memoryBytes: 0, temporaryStorageBytes: 0)
  /// What it leaves, once it is being ended; another one may wait for it already.
  var vacancy: VacantSandbox?
  /// What it is waiting for, left by another one.
  var awaitedVacancy: VacantSandbox?
  /// Whether its sandbox is fit for another instance.
  var isSandboxSound = true
  /// The runtime's call for an event.
  var parked: ParkedCall?
  /// Where those were connected from that had gone when they were looked at.
  var gonePorts: Set<Int> = []
  /// The event that was handed over last, should the runtime ask for it again.
  var event: HTTPResponse?

  /// What it wrote last before it was ready.
  var startOutput = StartOutput()
  var servedCount: Int64 = 0
  /// The initialization's limit first, the invocation's deadline later.
  var timer: Scheduled<Void>?
  /// Of its output, what was lost because it came too fast.
  var linesDropped = 0
  var bytesDropped = 0
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
    return noteMemory(sandbox?.memoryUsedBytes() ?? 0, at: now)
  }

  /// Takes a reading of the most memory used; it never falls.
  @discardableResult
  func noteMemory(_ bytes: Int64, at now: Timestamp) -> Int64 {
    let highest = max(bytes, memory?.bytes ?? 0)
    memory = (highest, now)
    return highest
  }

  private static let memoryReadInterval = Nanoseconds.milliseconds(100)

  var phase: InitializationPhase { isBound ? .invocation : .initialization }

  /// Whether the next instance has its sandbox after it: a timeout or a crash resets an environment, and ends none.
  var leavesSandbox: Bool { isSandboxSound && (machine.end?.reason == .timeout || machine.end?.reason == .failure) }
}
