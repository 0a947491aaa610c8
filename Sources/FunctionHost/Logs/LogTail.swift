import LambdaRecords
import Lifecycle
import NIOCore

/// The end of one invocation's log, for a caller who asked for it: the same lines that the log gets.
///
/// It is complete when the invocation was reported and its output has arrived. Used on the host's loop.
final class LogTail {
  /// What AWS keeps for a caller, in bytes.
  static let bytesMax = 4096

  let request: RequestID
  /// Whether all that the invocation printed has arrived, as far as can be known.
  var hasOutput = false
  private var lines: [UInt8] = []
  /// The lines END and REPORT; they come last, whatever output arrives after them.
  private var report: [UInt8]?

  init(_ request: RequestID) { self.request = request }

  var isReported: Bool { report != nil }
  var isComplete: Bool { isReported && hasOutput }

  func take(_ event: PlatformEvent, _ format: LogFormat) {
    let text = LogLine.bytes(of: event, format)
    if case .report(let told) = event.kind {
      if told.request == request { report = text }
    } else {
      append(text)
    }
  }

  func take(line: String) {
    append(line.utf8)
    append(CollectionOfOne(UInt8(ascii: "\n")))
  }

  /// What there is, at most ``bytesMax`` bytes.
  var text: [UInt8] { Array((lines + (report ?? [])).suffix(LogTail.bytesMax)) }

  private func append(_ bytes: some BidirectionalCollection<UInt8>) {
    lines.append(contentsOf: bytes.suffix(LogTail.bytesMax))
    // Trimmed seldom, so that a chatty function does not move 4 KiB with every line.
    if lines.count > 4 * LogTail.bytesMax { lines.removeFirst(lines.count - LogTail.bytesMax) }
  }
}
