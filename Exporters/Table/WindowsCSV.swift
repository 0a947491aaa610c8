import Text
package import Documents
package import Lifecycle
import Windows

/// Windows as comma-separated values (RFC 4180), newest first, in base units (seconds, bytes).
package enum WindowsCSV {
  /// A header and a line for each window of the document's range; those in which nothing happened have a start and an end only.
  /// The function of the account's lines is empty. In a range of more than 10,000 windows, idle ones are left out.
  package static func text(_ document: WindowsDocument, isWide: Bool = false) -> String {
    text(document, WindowColumn.columns(isWide: isWide), names: ["function", "version"]) { window in
      [window.function ?? "", window.version ?? ""]
    }
  }

  /// The same of windows of event sources.
  package static func text(_ document: WindowsDocument, of trigger: Trigger) -> String {
    text(document, WindowColumn.columns(of: trigger), names: [trigger.sourceMember]) { window in
      [window.eventSource?.source.name ?? ""]
    }
  }

  /// - Parameters:
  ///   - names: The titles of what says whose window it is.
  ///   - identity: What says that.
  package static func text(
    _ document: WindowsDocument, _ columns: [WindowColumn], names: [String], _ identity: (WindowDocument) -> [String]
  ) -> String {
    var text = CSV.line(["start", "end", "closed"] + names + columns.map(\.field))
    for row in WindowRow.rows(document) {
      switch row {
      case .window(let window):
        let span = [RFC3339.text(window.start), RFC3339.text(window.end), String(window.closed)]
        text += CSV.line(span + identity(window).map(CSV.guarded) + columns.map { $0.text(\.value, of: window) })
      case .idle(let start):
        let end = RFC3339.text(start + document.resolution)
        text += CSV.line([RFC3339.text(start), end] + Array(repeating: "", count: columns.count + names.count + 1))
      case .idleRun: continue
      }
    }
    return text
  }
}
