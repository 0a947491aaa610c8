import Logging
import Table

/// Writes log messages that quote what others said: functions, extensions, callers. None of that steers a terminal, and a line
/// break in it begins no line that passes for a message of its own: what follows is indented.
struct SafeLogHandler: LogHandler {
  private var inner: any LogHandler

  init(_ inner: any LogHandler) { self.inner = inner }

  var logLevel: Logger.Level {
    get { inner.logLevel }
    set { inner.logLevel = newValue }
  }
  var metadata: Logger.Metadata {
    get { inner.metadata }
    set { inner.metadata = newValue }
  }
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { inner[metadataKey: key] }
    set { inner[metadataKey: key] = newValue }
  }

  func log(event: LogEvent) {
    var event = event
    event.message = "\(SafeLogHandler.safe("\(event.message)"))"
    event.metadata = event.metadata?.mapValues { "\(SafeLogHandler.safe("\($0)"))" }
    inner.log(event: event)
  }

  /// The text as it is written.
  static func safe(_ text: String) -> String {
    let shown = TerminalText.shown(text)
    guard shown.contains("\n") else { return shown }
    return shown.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n  ")
  }
}
