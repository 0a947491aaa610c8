internal import Glibc
internal import Logging
internal import NIOCore

/// Notices and reports failures between accept(2) and the first byte of a connection.
///
/// It is the last handler of the listening channel: NIO's own handler, before it, reports there what a connection's options
/// and its initializer fail with, after it closed the connection.
final class AcceptWatch: ChannelDuplexHandler {
  typealias InboundIn = any Channel
  typealias InboundOut = any Channel
  typealias OutboundIn = Never

  private let registry: ConnectionRegistry
  private let statistics: ListenerStatistics
  private let logger: Logger?
  /// When each kind of failure was last reported, and how often it has happened since. The kinds are few: an error
  /// number, or the name of a type.
  private var told: [String: (at: NIODeadline, untold: Int)] = [:]
  private var isPaused = false
  private var holdsRead = false

  init(registry: ConnectionRegistry, statistics: ListenerStatistics, logger: Logger?) {
    self.registry = registry
    self.statistics = statistics
    self.logger = logger
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A connection that went away while it was set up, and all of them while the server closes, are no failure.
    if case .ioOnClosedChannel? = error as? ChannelError { return }
    let number = (error as? IOError)?.errnoCode
    switch number {
    case ECONNABORTED: statistics.count(.acceptFailed)
    case EMFILE, ENFILE, ENOBUFS, ENOMEM:
      statistics.count(.acceptFailed)
      registry.makeRoom()
      pause(context)
      let isOutOfFiles = number == EMFILE || number == ENFILE
      tell(
        "errno \(number ?? 0)",
        isOutOfFiles
          ? "A connection waits to be accepted, because too many files are open: raise the limit (ulimit -n)."
          : "A connection waits to be accepted, because the system has no memory for it.", error)
    default:
      statistics.count(.setupFailed)
      tell(
        number.map { "errno \($0)" } ?? "\(type(of: error))",
        "A connection was closed before its first byte, because it could not be set up. Its client sees a reset.",
        error)
    }
  }

  // The listening socket stays readable while a connection waits, so that without a pause the loop would spin.
  func read(context: ChannelHandlerContext) {
    if isPaused { holdsRead = true } else { context.read() }
  }

  private func pause(_ context: ChannelHandlerContext) {
    guard !isPaused else { return }
    isPaused = true
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: .milliseconds(100)) {
      let (watch, context) = bound.value
      watch.isPaused = false
      guard watch.holdsRead else { return }
      watch.holdsRead = false
      context.read()
    }
  }

  /// Logs a failure, once a minute for each kind.
  private func tell(_ kind: String, _ message: Logger.Message, _ error: any Error) {
    guard let logger else { return }
    let now = NIODeadline.now()
    if let last = told[kind], now - last.at < .minutes(1) {
      told[kind] = (last.at, last.untold + 1)
      return
    }
    let untold = told[kind]?.untold ?? 0
    // More kinds than the system has error numbers would be a defect of ours; they are told once all the same.
    if told.count > 256 { told.removeAll() }
    told[kind] = (now, 0)
    logger.warning(message, metadata: ["error": "\(error)", "untold": "\(untold)"])
  }
}
