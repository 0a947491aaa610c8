import Lifecycle

/// A function by its position in the configuration.
struct FunctionIndex: Hashable, Sendable {
  var position: Int
}

/// Decides who may run: the account's concurrency, divided into reserved parts and a pool for everybody else.
///
/// The order is AWS's: a function with reserved concurrency is held to it and needs nothing else, because its part was
/// taken out of the pool; every other function competes for what is left. A reserved part is floor and ceiling at once.
struct Admission: Sendable {
  enum Decision: Equatable, Sendable {
    case admitted(ConcurrencyPool)
    case throttled(ThrottleReason)
  }

  /// What the functions without a reserved part share.
  let unreservedLimit: Int
  private let reserved: [Int?]
  private var running: [Int]
  private var unreservedRunning = 0

  /// - Throws: ``HostError`` if the reserved parts leave less than the minimum for everybody else, or are negative.
  init(accountConcurrency: Int, unreservedMinimum: Int, reserved: [Int?]) throws(HostError) {
    guard accountConcurrency >= 1, unreservedMinimum >= 0 else {
      throw HostError(
        .configuration,
        "The account concurrency must be at least 1 and the unreserved minimum at least 0; they are "
          + "\(accountConcurrency) and \(unreservedMinimum).")
    }
    guard reserved.allSatisfy({ $0.map { $0 >= 0 } ?? true }) else {
      throw HostError(.configuration, "A reserved concurrency must be at least 0; leave it out for none.")
    }
    let (claimed, overflow) = reserved.reduce((0, false)) { sum, part in
      let (next, overflow) = sum.0.addingReportingOverflow(part ?? 0)
      return (next, sum.1 || overflow)
    }
    // An account as small as the minimum may still run functions, as long as none of them reserves.
    guard !overflow, claimed == 0 || accountConcurrency - claimed >= unreservedMinimum else {
      throw HostError(
        .configuration,
        "The reserved concurrency of all functions together is \(overflow ? "too large" : String(claimed)); with an "
          + "account concurrency of \(accountConcurrency), \(unreservedMinimum) must stay unreserved: lower a "
          + "function's reserved concurrency or raise the account's.")
    }
    self.unreservedLimit = accountConcurrency - claimed
    self.reserved = reserved
    self.running = Array(repeating: 0, count: reserved.count)
  }

  /// Takes a slot for `function`, or says why there is none. O(1).
  mutating func admit(_ function: FunctionIndex) -> Decision {
    if let limit = reserved[function.position] {
      guard running[function.position] < limit else { return .throttled(.reservedFunctionConcurrentInvocationLimit) }
      running[function.position] += 1
      return .admitted(.reserved)
    }
    guard unreservedRunning < unreservedLimit else { return .throttled(.concurrentInvocationLimit) }
    running[function.position] += 1
    unreservedRunning += 1
    return .admitted(.unreserved)
  }

  /// Gives back the slot of one admitted invocation. O(1).
  mutating func release(_ function: FunctionIndex) {
    precondition(running[function.position] > 0, "BUG: function \(function.position) gave back a slot it did not hold")
    running[function.position] -= 1
    if reserved[function.position] == nil { unreservedRunning -= 1 }
  }

  /// The most executions that `function` can ever have at once.
  func ceiling(_ function: FunctionIndex) -> Int { reserved[function.position] ?? unreservedLimit }

  /// Executions in progress, over all functions.
  var runningCount: Int { running.reduce(0, +) }
}
