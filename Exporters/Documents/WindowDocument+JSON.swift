import Text
import Lifecycle
import Windows

extension WindowDocument {
  /// The window as JSON, and a line feed.
  public func line() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 1_024)
    write(to: &writer)
    return writer.bytes + [0x0A]
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    if let function { writer.member("function", function) }
    if let version { writer.member("version", version) }
    if let source = eventSource?.source { writer.member(source.trigger.sourceMember, source.name) }
    writer.member("start", RFC3339.text(start))
    writer.member("end", RFC3339.text(end))
    writer.member("closed", closed)
    if let eventSource {
      eventSource.writeNumbers(to: &writer)
      writer.endObject()
      return
    }
    for member in WindowMember.all {
      if isFromLogs, WindowDocument.unknownToLogs.contains(member.name) {
        writer.key(member.name)
        writer.null()
      } else {
        member.write(self, &writer)
      }
    }
    writer.endObject()
  }

  init(from reader: inout JSONReader) throws(JSONError) {
    let position = reader.position
    var document = WindowDocument(
      function: nil, start: Timestamp(nanoseconds: 0), end: Timestamp(nanoseconds: 0), closed: false)
    var hasSpan = (start: false, end: false)
    // Members come in the order of the table, if Kelvin wrote them.
    var next = 0
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      if document.eventSource == nil, let found = WindowMember.position(of: name, from: next) {
        next = found + 1
        if WindowDocument.unknownToLogs.contains(name), try reader.takeNull() {
          document.isFromLogs = true
          return
        }
        return try WindowMember.all[found].read(&document, &reader)
      }
      switch name {
      case "start":
        document.start = try reader.time()
        hasSpan.start = true
      case "end":
        document.end = try reader.time()
        hasSpan.end = true
      case "function": document.function = try reader.stringOrNull()
      case "version": document.version = try reader.stringOrNull()
      case "closed": document.closed = try reader.boolean()
      default:
        if document.eventSource != nil {
          try document.eventSource?.read(name, &reader)
        } else if let trigger = Trigger.eventSources.first(where: { $0.sourceMember == name }) {
          // Kelvin writes it before the numbers.
          document.eventSource = EventSourceWindowDocument(EventSourceID(trigger, try reader.string()))
        } else {
          try reader.skip()
        }
      }
    }
    guard hasSpan.start, hasSpan.end else {
      throw JSONError(.missing, "a window has no start or no end", position: position)
    }
    self = document
  }
}

/// A member of a window's document that tells a number.
private struct WindowMember: Sendable {
  let name: String
  /// Writes the member with its name, where the window has it.
  let write: @Sendable (WindowDocument, inout JSONWriter) -> Void
  /// Reads the value.
  let read: @Sendable (inout WindowDocument, inout JSONReader) throws(JSONError) -> Void

  /// In the order in which they are written.
  static let all: [WindowMember] = {
    var (sums, distributions): ([WindowMember], [WindowMember]) = ([], [])
    for number in TallyNumber.all {
      if case .distribution = number.content {
        distributions += members(of: number)
      } else {
        sums += members(of: number)
      }
    }
    return sums + peaks + distributions
  }()

  private static let positions = Dictionary(
    all.indices.map { (all[$0].name, $0) }, uniquingKeysWith: { _, _ in preconditionFailure("BUG: a member twice") })

  /// The position of the member of a name.
  ///
  /// - Parameter expected: Where it probably is.
  static func position(of name: String, from expected: Int) -> Int? {
    expected < all.count && all[expected].name == name ? expected : positions[name]
  }

  private static func members(of number: TallyNumber) -> [WindowMember] {
    let field = number.field
    let name = number.member
    switch number.content {
    case .count: return [count(name, field)]
    case .words:
      guard let parts = number.partsMember else { preconditionFailure("BUG: the words of \(name) have no member") }
      return [
        count(name, field),
        WindowMember(
          name: parts, write: { $0[parts: field].write(parts, to: &$1) },
          read: { document, reader throws(JSONError) in document[parts: field] = try [NamedCount](from: &reader) }),
      ]
    case .time:
      return [
        WindowMember(
          name: name, write: { $1.member(name, nanoseconds: $0[time: field]) },
          read: { document, reader throws(JSONError) in document[time: field] = try reader.nanoseconds() })
      ]
    case .distribution(let measure, _, _):
      return [
        WindowMember(
          name: name,
          write: { document, writer in
            writer.key(name)
            document[distribution: field].write(to: &writer)
          },
          read: { document, reader throws(JSONError) in
            document[distribution: field] = try DistributionDocument(measure, from: &reader)
          })
      ]
    }
  }

  private static func count(_ name: String, _ field: TallyNumber.Field) -> WindowMember {
    WindowMember(
      name: name, write: { $1.member(name, $0[count: field]) },
      read: { document, reader throws(JSONError) in document[count: field] = try reader.unsigned() })
  }

  private static let peaks = [
    maximum("concurrencyMax", { $0.concurrencyMax }, { $0.concurrencyMax = $1 }),
    maximum("instancesMax", { $0.instancesMax }, { $0.instancesMax = $1 }),
    maximum("provisionedConcurrencyMax", { $0.provisionedConcurrencyMax }, { $0.provisionedConcurrencyMax = $1 }),
    WindowMember(
      name: "provisionedUtilizationMax",
      write: { document, writer in
        writer.key("provisionedUtilizationMax")
        writer.real(document.provisionedUtilizationMax)
      },
      read: { document, reader throws(JSONError) in
        document.provisionedUtilizationMax = Double(try reader.nanoseconds()) / 1e9
      }),
    maximum("unreservedConcurrencyMax", { $0.unreservedConcurrencyMax }, { $0.unreservedConcurrencyMax = $1 }),
    maximum("claimedConcurrencyMax", { $0.claimedConcurrencyMax }, { $0.claimedConcurrencyMax = $1 }),
    WindowMember(
      name: "concurrencySeconds", write: { $1.member("concurrencySeconds", nanoseconds: $0.concurrencyNanoseconds) },
      read: { document, reader throws(JSONError) in document.concurrencyNanoseconds = try reader.nanoseconds() }),
    maximum("overlappingMax", { $0.overlappingMax }, { $0.overlappingMax = $1 }),
  ]

  private static func maximum(
    _ name: String, _ value: @escaping @Sendable (WindowDocument) -> Int64?,
    _ set: @escaping @Sendable (inout WindowDocument, Int64) -> Void
  ) -> WindowMember {
    WindowMember(
      name: name, write: { document, writer in if let value = value(document) { writer.member(name, value) } },
      read: { document, reader throws(JSONError) in set(&document, try reader.signed()) })
  }
}
