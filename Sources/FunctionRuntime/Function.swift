/// A function that takes events as bytes.
///
/// ```swift
/// @main struct Greeter: Function {
///   func handle(_ event: [UInt8], _ context: InvocationContext) async throws -> [UInt8] { event }
/// }
/// ```
///
/// One value serves all invocations of its instance. They come one at a time, but a handler that was aborted and still
/// runs overlaps with the next one: state that is shared needs protection, which `Sendable` asks for.
public protocol Function: Sendable {
  /// The memory and timeout that the function configures.
  static var configuration: FunctionConfiguration { get }

  /// Loads what every invocation needs. An error ends the instance; the host gets the error.
  init() async throws

  /// Runs once, before the first event is let in: open connections, fill caches. Its time is measured; an error is
  /// reported and the instance serves anyway.
  func warmUp() async throws

  /// Answers one event. When its time is over the task is cancelled and the result no longer wanted.
  func handle(_ event: [UInt8], _ context: InvocationContext) async throws -> [UInt8]
}

extension Function {
  /// Asks for nothing: the host's file and defaults decide.
  public static var configuration: FunctionConfiguration { FunctionConfiguration() }

  /// Does nothing, and no warm-up is reported.
  public func warmUp() async throws { WarmUpProbe.current?.isAbsent.happen() }

  /// Asks the host for events and serves them until the host ends the process.
  ///
  /// Reads `AWS_LAMBDA_RUNTIME_API` and the other variables of AWS Lambda. SIGTERM ends the process at once, with
  /// status 0; a failed initialization or a host that is gone with status 1.
  ///
  /// The main thread waits for events, so the main actor is not served: nothing here may `await` it. (Serving it would
  /// cost five milliseconds at every start, for the thread would have to be unwound.)
  public static func main() {
    RuntimeProcess.prepare()
    RuntimeProcess.end(RuntimeProcess.run(Self.self))
  }
}

/// How the loop learns whether a function has a warm-up of its own: only the default one speaks to the probe.
final class WarmUpProbe: Sendable {
  @TaskLocal static var current: WarmUpProbe?
  let isAbsent = Moment()
}
