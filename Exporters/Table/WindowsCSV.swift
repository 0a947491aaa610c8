import Text
package import Documents
import Lifecycle

/// Windows as comma-separated values (RFC 4180), newest first, in base units (seconds, bytes).
package enum WindowsCSV {
  /// A header and a line for each window of the document's range; those in which nothing happened have a start and an end only.
  /// The function of the account's lines is empty. In a range of more than 10,000 windows, idle ones are left out.
  package static func text(_ document: WindowsDocument, isWide: Bool = false) -> String {
    let columns = WindowColumn.columns(isWide: isWide)
    var text = CSV.line(["start", "end", "closed", "function", "version"] + columns.map(\.field))
    for row in WindowRow.rows(document) {
      switch row {
      case .window(let window): text += CSV.line(identity(window) + columns.map { $0.text(\.value, of: window) })
      case .idle(let start):
        let end = RFC3339.text(start + document.resolution)
        text += CSV.line([RFC3339.text(start), end] + Array(repeating: "", count: columns.count + 3))
      case .idleRun: continue
      }
    }
    return text
  }

  private static func identity(_ window: WindowDocument) -> [String] {
    [
      RFC3339.text(window.start), RFC3339.text(window.end), String(window.closed), CSV.guarded(window.function ?? ""),
      CSV.guarded(window.version ?? ""),
    ]
  }
}
