package import Lifecycle

/// The words of an instance's machine: its phases, and what it is asked and answers.
extension InstanceMachine {
  /// Where an instance is in its life.
  package enum Phase: Equatable, Sendable {
    /// Its API is being bound: nothing of it runs, and nothing was said of it.
    case created
    /// Runtime and extensions start.
    case initializing(Initialization)
    /// It is initialized.
    case serving(Service)
    /// It has ended or is being ended.
    case ending(End)
  }

  /// An initialization that goes on.
  package struct Initialization: Equatable, Sendable {
    /// Who is not done yet.
    package enum Progress: Equatable, Sendable {
      /// The runtime, with whether it has reported its warm-up.
      case running(hasWarmedUp: Bool)
      /// The runtime asked for its first event; its extensions are not done.
      case awaitingExtensions
    }

    /// When its API was bound.
    package let startedAt: Timestamp
    /// Who is not done yet.
    package var progress = Progress.running(hasWarmedUp: false)
  }

  /// An instance that is initialized.
  package struct Service: Equatable, Sendable {
    /// When its API was bound.
    package let startedAt: Timestamp
    /// When its initialization was over.
    package let readyAt: Timestamp
    /// What it does.
    package var activity = Activity.idle
    /// Whether an invocation of it was reported.
    var hasReported = false
  }

  /// What an instance that is initialized does.
  package enum Activity: Equatable, Sendable {
    /// A call of `next` waits for an event.
    case idle
    /// The same, and its processes are stopped.
    case frozen
    /// Its handler works on an invocation, within the deadline.
    case running(RequestID)
    /// The caller has got the timeout as its answer, the handler still runs, and `next` has not been called.
    case overdue(RequestID, since: Timestamp)
    /// The invocation has its answer since `at`, be that one the timeout; `next` has not been called.
    case answered(RequestID, at: Timestamp)
    /// `next` was called; extensions are not done with the invocation.
    case awaitingExtensions
  }

  /// The end of an instance.
  package struct End: Equatable, Sendable {
    /// How it is ended.
    package enum Manner: Equatable, Sendable {
      /// Killed.
      case atOnce
      /// Its runtime is about to end by itself, and is killed after a grace.
      case byItself
      /// Its extensions have until then; its runtime has a part of that, and is asked to end unless it does so by itself.
      case inSteps(until: Timestamp, isByItself: Bool)
    }

    /// When it began to initialize; `nil` if it never did.
    package let startedAt: Timestamp?
    /// When its initialization was over; `nil` if it never was.
    package let readyAt: Timestamp?
    /// Why; the first reason counts.
    package let reason: StopReason
    /// How much time it is given.
    package let manner: Manner
    /// When all of it was killed.
    package internal(set) var killedAt: Timestamp?

    /// When its extensions must have ended; `nil` if it has none that are given time.
    package var extensionsDeadline: Timestamp? { if case .inSteps(let time, _) = manner { time } else { nil } }

    /// Whether its runtime ends without being asked.
    package var isByItself: Bool {
      switch manner {
      case .atOnce: false
      case .byItself, .inSteps(_, isByItself: true): true
      case .inSteps: false
      }
    }
  }

  /// The state of the runtime's program. Beside the phase, because extensions may be first to start and last to end.
  package enum Runtime: Equatable, Sendable { case notStarted, running, ended }

  /// A call of the runtime.
  package enum Call: Equatable, Sendable {
    /// It asks for an event.
    case next
    /// It answers an invocation.
    case response(RequestID)
    /// With whether the runtime says that its handler ran over its own deadline, and may still run.
    case error(RequestID, isHandlerTimeout: Bool)
    /// It reports that it could not start.
    case initializationError
    /// It reports that a handler which had run over its deadline has stopped.
    case overlapEnded(RequestID)
  }

  /// What the call is answered.
  package enum Reply: Equatable, Sendable {
    /// 202.
    case accepted
    /// Nothing until there is an event.
    case wait
    /// 403, because an earlier call waits already; unless who sent that one is gone, whose place this one takes.
    case waitsAlready
    /// 200 with the event that was handed over already.
    case sameEvent
    /// 400.
    case invalidRequestID
    /// 403.
    case invalidState(from: String, to: String)
  }

  /// What follows for the host.
  package enum Effect: Equatable, Sendable {
    /// Nothing but the reply.
    case nothing
    /// The first `next`. Once extensions are done, too, the host says ``InstanceMachine/becomeReady(at:)``.
    case initialized
    /// A further `next`. Once extensions are done, too, the host says ``InstanceMachine/settle()``.
    case available
    /// The invocation has its answer.
    case answered(RequestID)
    /// The host ends the instance.
    case initializationFailed
  }

  /// The answer to a call, and what follows from it.
  package struct Step: Equatable, Sendable {
    /// What the call is answered.
    package var reply: Reply
    /// What follows for the host.
    package var effect = Effect.nothing
    /// A timed-out handler that has stopped now.
    package var overlapEnded: RequestID?
  }

  /// What the host does about an instance that is to be ended.
  package enum EndStep: Equatable, Sendable {
    /// End it; these handlers, whose callers have their answer, stop only now.
    case begin(overlapsEnded: [RequestID])
    /// It is being ended already, and is not to be given more time.
    case kill
    /// It is being ended already.
    case nothing
  }
}
