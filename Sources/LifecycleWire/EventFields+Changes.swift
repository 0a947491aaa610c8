internal import Lifecycle
internal import Text

/// What changed at an event source.
extension EventFields {
  /// The members of one change.
  fileprivate struct ChangeFields {
    var counted: String?
    var count: Int64?
    var level: String?
    var value: Int64?
    var hasOldest = false
    var oldest: Timestamp?
    var measured: String?
    var duration: Nanoseconds?
    var isGone = false
  }

  /// Reads a list of objects, each of which is one change.
  static func changes(_ reader: inout JSONReader) throws(MemberFault) -> [EventSourceChange] {
    var changes: [EventSourceChange] = []
    var fault: LineFault?
    do throws(JSONError) {
      try reader.array { reader throws(JSONError) in
        let fields = try change(&reader, &fault)
        // Those that are too many are only counted.
        guard fault == nil, changes.count <= EventSourceActivity.changesLimit else { return }
        do throws(LineFault) { changes.append(try fields.change()) } catch { fault = error }
      }
    } catch {
      throw .json(error)
    }
    if let fault { throw .line(fault) }
    return changes
  }

  private static func change(_ reader: inout JSONReader, _ fault: inout LineFault?) throws(JSONError) -> ChangeFields {
    var fields = ChangeFields()
    var problem: LineFault?
    try reader.object { reader, name throws(JSONError) in
      switch name {
      case "counted": fields.counted = try reader.string()
      case "count": fields.count = try reader.signed()
      case "level": fields.level = try reader.string()
      case "value": fields.value = try reader.signed()
      case "measured": fields.measured = try reader.string()
      case "duration":
        fields.duration = Int64(exactly: try reader.nanoseconds()).map { Nanoseconds($0) }
        if fields.duration == nil { problem = LineFault(.malformed, "duration is longer than 292 years") }
      case "gone": fields.isGone = try reader.boolean()
      case "oldest":
        fields.hasOldest = true
        if try reader.takeNull() { return }
        guard try reader.kind() == .string else {
          fields.oldest = Timestamp(nanoseconds: try reader.signed())
          return
        }
        let text = try reader.string()
        fields.oldest = RFC3339.nanoseconds(text).map(Timestamp.init(nanoseconds:))
        if fields.oldest == nil {
          problem = LineFault(.malformed, "oldest is \"\(text.prefix(64))\", which is no time of RFC 3339")
        }
      default: try reader.skip()
      }
    }
    fault = fault ?? problem
    return fields
  }
}

extension EventFields.ChangeFields {
  fileprivate func change() throws(LineFault) -> EventSourceChange {
    if let counted { return .counted(try word(counted, "counted"), count ?? 1) }
    if let level {
      guard let value else { throw LineFault(.malformed, "value is missing: how many there are of \(level)") }
      return .level(try word(level, "level"), value)
    }
    if hasOldest { return .oldest(oldest) }
    if let measured {
      guard let duration else { throw LineFault(.malformed, "duration is missing: how long \(measured) took") }
      return .measured(try word(measured, "measured"), duration)
    }
    guard isGone else {
      throw LineFault(.unknownWord, "a change is none of counted, level, oldest, measured and gone")
    }
    return .gone
  }

  private func word<Value: Word>(_ text: String, _ member: String) throws(LineFault) -> Value {
    guard let word = Value(name: text) else {
      let names = Value.allCases.map(\.name).joined(separator: ", ")
      throw LineFault(.unknownWord, "\(member) is \"\(text.prefix(64))\"; it is one of \(names)")
    }
    return word
  }
}
