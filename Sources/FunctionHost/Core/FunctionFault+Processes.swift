import LambdaAPI
import Lifecycle
import Sandboxes

extension FunctionFault {
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
