import Logging
import Table

/// Writes log messages that quote text of functions, extensions and callers. That text cannot control a terminal, and
/// its line breaks cannot look like a new message: what follows them is indented.
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
