import Glibc
import LambdaRecords
import Lifecycle
import Logging
import NIOCore
import NIOPosix

/// The logs of a host's functions: one file each, written beside the event loop. Used on the host's loop.
///
/// What is written meanwhile waits in memory; what is over the limit, or what the disk does not take, is lost and
/// counted, and the next line that is written tells how much.
final class HostLogs {
  /// The most bytes that wait for one function.
  static let waitingBytesMax = 1 << 20
  /// As much is not left to wait for more: a few lines of the longest length must find room.
  private static let hurryBytes = waitingBytesMax / 4
  private static let delay = TimeAmount.milliseconds(50)

  private struct Waiting {
    var lines = ByteBuffer()
    var loss = LogFile.Loss()
    var isListed = false
  }

  private struct Piece: Sendable {
    var function: Int
    var path: String
    var lines: ByteBuffer
    /// What the first of the lines tells.
    var told: LogFile.Loss
  }

  private let directory: String
  private var functions: [(name: String, format: LogFormat)]
  private let clock: SteadyClock
  private let loop: any EventLoop
  private let counters: HostCounters
  private let logger: Logger
  private let threads = NIOThreadPool(numberOfThreads: 1)
  private var waiting: [Waiting]
  /// The functions for which something waits.
  private var listed: [Int] = []
  private var isScheduled = false
  private var isWriting = false
  private var isFailing = false
  private var whenWritten: EventLoopPromise<Void>?

  init(
    directory: String, functions: [(name: String, format: LogFormat)], on loop: any EventLoop, clock: SteadyClock,
    counters: HostCounters, logger: Logger
  ) {
    self.directory = directory
    self.functions = functions
    self.clock = clock
    self.loop = loop
    self.counters = counters
    self.logger = logger
    waiting = Array(repeating: Waiting(), count: functions.count)
    threads.start()
  }

  /// Takes one more function, or another format of one that it has.
  func take(_ name: String, _ format: LogFormat, of function: Int) {
    if function < functions.count {
      functions[function] = (name, format)
    } else {
      functions.append((name, format))
      waiting.append(Waiting())
    }
  }

  /// Takes whole lines.
  func append(_ lines: [UInt8], of function: Int) {
    guard !lines.isEmpty else { return }
    if waiting[function].lines.readableBytes + lines.count > HostLogs.waitingBytesMax {
      let count = lines.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
      counters.count(.unwrittenLine, count)
      waiting[function].loss.lines += count
      waiting[function].loss.bytes += lines.count
      waiting[function].loss.reason = "they came faster than the host could write them"
    } else {
      waiting[function].lines.writeBytes(lines)
    }
    list(function)
    schedule()
    if waiting[function].lines.readableBytes > HostLogs.hurryBytes, !isWriting { write() }
  }

  /// Takes note of lines that did not come this far.
  func lose(_ lines: Int, _ bytes: Int, _ reason: String, of function: Int) {
    waiting[function].loss.lines += lines
    waiting[function].loss.bytes += bytes
    waiting[function].loss.reason = reason
    list(function)
    schedule()
  }

  /// Writes what waits, and ends. Completes when all is written, or was lost.
  func stop() -> EventLoopFuture<Void> {
    let promise = loop.makePromise(of: Void.self)
    whenWritten = promise
    if !isWriting { write() }
    return promise.futureResult.flatMap { [threads, loop] in
      let ended = loop.makePromise(of: Void.self)
      threads.shutdownGracefully { _ in ended.succeed() }
      return ended.futureResult
    }
  }

  private func list(_ function: Int) {
    guard !waiting[function].isListed else { return }
    waiting[function].isListed = true
    listed.append(function)
  }

  private func schedule() {
    guard !isScheduled, !isWriting else { return }
    isScheduled = true
    loop.assumeIsolated().scheduleTask(in: HostLogs.delay) {
      self.isScheduled = false
      if !self.isWriting { self.write() }
    }
  }

  private func write() {
    guard !listed.isEmpty else {
      whenWritten?.succeed()
      return
    }
    let pieces = listed.map { piece(of: $0) }
    listed = []
    isWriting = true
    let directory = directory
    threads.runIfActive(eventLoop: loop) { () -> [LogFile.Loss] in
      // There already, nearly always; and if it cannot be made, opening a file in it says why.
      unsafe mkdir(directory, 0o755)
      return pieces.map { LogFile.append($0.lines, to: $0.path) }
    }.assumeIsolated().whenComplete { result in
      self.isWriting = false
      let losses = (try? result.get()) ?? []  // Fails when the threads have ended, and then nobody writes any more.
      for (piece, loss) in zip(pieces, losses) where loss.lines > 0 { self.note(loss, of: piece) }
      if losses.allSatisfy({ $0.lines == 0 }) { self.isFailing = false }
      if self.whenWritten != nil { self.finish(losses) } else if !self.listed.isEmpty { self.schedule() }
    }
  }

  /// At the end nothing is tried twice.
  private func finish(_ losses: [LogFile.Loss]) {
    if losses.contains(where: { $0.lines > 0 }) || listed.isEmpty { whenWritten?.succeed() } else { write() }
  }

  private func piece(of function: Int) -> Piece {
    let loss = waiting[function].loss
    var lines = waiting[function].lines
    if loss.lines > 0 {
      var told = ByteBuffer(bytes: LogLine.bytes(of: loss.record, functions[function].format, at: clock.now()))
      told.writeBuffer(&lines)
      lines = told
    }
    waiting[function] = Waiting()
    return Piece(function: function, path: "\(directory)/\(functions[function].name).log", lines: lines, told: loss)
  }

  private func note(_ loss: LogFile.Loss, of piece: Piece) {
    // The line that told of an earlier loss may be lost as well; then it counts for what it told.
    var loss = loss
    let isTellingLost = piece.told.lines > 0 && loss.bytes == piece.lines.readableBytes
    counters.count(.unwrittenLine, isTellingLost ? loss.lines - 1 : loss.lines)
    if isTellingLost {
      loss.lines += piece.told.lines - 1
      loss.bytes += piece.told.bytes
    }
    waiting[piece.function].loss.lines += loss.lines
    waiting[piece.function].loss.bytes += loss.bytes
    waiting[piece.function].loss.reason = loss.reason
    guard !isFailing else { return }
    isFailing = true
    logger.error(
      "A function's log cannot be written; its lines are lost.",
      metadata: ["path": "\(piece.path)", "reason": "\(loss.reason)"])
  }
}
