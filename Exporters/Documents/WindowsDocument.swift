public import Text
public import Lifecycle
public import Windows

/// The answer of `GET /api/v1/windows`: windows of one length, newest first.
public struct WindowsDocument: Sendable, Equatable {
  /// The length of every window.
  public var resolution: Nanoseconds
  /// The start of the first window.
  public var from: Timestamp
  /// Not part of the range.
  public var to: Timestamp
  /// Newest first; of one start, the account first and then the functions by name. Idle windows may be absent.
  public var windows: [WindowDocument]

  /// Makes a document of windows that are in order already. `resolution` is above zero.
  public init(resolution: Nanoseconds, from: Timestamp, to: Timestamp, windows: [WindowDocument]) {
    self.resolution = resolution
    self.from = from
    self.to = to
    self.windows = windows
  }

  /// Converts rollups, whatever their order.
  public init(resolution: Nanoseconds, from: Timestamp, to: Timestamp, rollups: some Sequence<WindowRollup>) {
    let ordered = rollups.sorted { $0.start == $1.start ? $0.scope < $1.scope : $0.start > $1.start }
    self.init(resolution: resolution, from: from, to: to, windows: ordered.map { WindowDocument($0) })
  }

  /// The document as JSON.
  ///
  /// - Complexity: O(windows).
  public func json() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 256 + 1_024 * windows.count)
    writer.beginObject()
    writer.member("resolution", nanoseconds: Int128(resolution.count))
    writer.member("from", RFC3339.text(from))
    writer.member("to", RFC3339.text(to))
    writer.key("windows")
    writer.beginArray()
    for window in windows { window.write(to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  /// Reads what ``json()`` writes. Members that this version does not know are ignored.
  ///
  /// - Throws: `JSONError` if it is not such a document.
  public init(json: [UInt8]) throws(JSONError) {
    self = try JSONReader.document(json) { (reader: inout JSONReader) throws(JSONError) in
      try WindowsDocument(from: &reader)
    }
  }

  private init(from reader: inout JSONReader) throws(JSONError) {
    var resolution: Nanoseconds?
    var from: Timestamp?
    var to: Timestamp?
    var windows: [WindowDocument]?
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "resolution": resolution = try reader.duration()
      case "from": from = try reader.time()
      case "to": to = try reader.time()
      case "windows":
        var read: [WindowDocument] = []
        try reader.array { (reader: inout JSONReader) throws(JSONError) in
          read.append(try WindowDocument(from: &reader))
        }
        windows = read
      default: try reader.skip()
      }
    }
    guard let resolution, resolution > .zero, let from, let to, let windows else {
      throw JSONError(.missing, "resolution, from, to or windows is missing", position: 0)
    }
    self.init(resolution: resolution, from: from, to: to, windows: windows)
  }
}
