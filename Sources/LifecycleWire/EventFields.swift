internal import Lifecycle
internal import Text

/// The members of one line that mean something, whatever event it is.
struct EventFields {
  /// Who sends a batch, as its first line says.
  struct Sender {
    var source: String?
    var sequence: UInt64?
  }

  /// Members that are a number: an instant, a length of time, bytes, or a count.
  enum Quantity: Int {
    case time, start
    case wait, duration, billed, lifetime, timeout
    case memoryLimitBytes, memoryUsedBytes, temporaryStorageLimitBytes, responseBytes
    case responseStatus, invocationsServed, reserved, concurrency

    enum Form { case instant, length, count }

    var form: Form {
      switch self {
      case .time, .start: .instant
      case .wait, .duration, .billed, .lifetime, .timeout: .length
      default: .count
      }
    }
  }

  /// Members that are one of a few words.
  enum WordMember: Int {
    case trigger, pool, outcome, timeoutSource, initializationType, phase, status, reason
  }

  /// Members that are `true` or `false`.
  enum Flag: Int {
    case coldStart, spillover, succeeded, gone
  }

  private static let rules = JSONRules(depthLimit: 8)

  private var isSender = false
  private var source: String?
  private var sequence: UInt64?
  private(set) var event: String?
  private(set) var function: String?
  private(set) var version: String?
  private(set) var instance: String?
  private(set) var request: String?
  private(set) var functions: [String]?
  private(set) var eventSource: EventSourceID?
  private(set) var changes: [EventSourceChange]?
  private(set) var provisioned: ProvisionedConcurrency?
  private var quantities = InlineArray<15, Int64?>(repeating: nil)
  private var words = InlineArray<8, String?>(repeating: nil)
  private var flags = InlineArray<4, Bool?>(repeating: nil)

  /// Reads a line that has to be one JSON object.
  init(_ line: Span<UInt8>) throws(LineFault) {
    var fault: LineFault?
    var fields = EventFields()
    do throws(JSONError) {
      try JSONReader.document(line, EventFields.rules) { reader throws(JSONError) in
        try reader.object { reader, name throws(JSONError) in
          if try reader.takeNull() { return }
          do throws(MemberFault) {
            try fields.read(name, &reader)
          } catch {
            switch error {
            case .json(let error): throw error
            case .line(let problem): fault = fault ?? problem
            }
          }
        }
      }
    } catch {
      throw LineFault(.malformed, error.phrase)
    }
    if let fault { throw fault }
    self = fields
  }

  private init() {}

  /// What the first line says about the sender; `nil` if the line is an event.
  var sender: Sender? { event == nil && isSender ? Sender(source: source, sequence: sequence) : nil }

  subscript(_ quantity: Quantity) -> Int64? { quantities[quantity.rawValue] }
  subscript(_ word: WordMember) -> String? { words[word.rawValue] }
  subscript(_ flag: Flag) -> Bool? { flags[flag.rawValue] }

  // MARK: Members

  /// Why a member cannot be read: JSON that ends the line, or a value that is none, after which the line goes on.
  enum MemberFault: Error {
    case json(JSONError)
    case line(LineFault)
  }

  /// Does what may fail because of JSON.
  @inline(__always)
  private func json<Value>(_ read: () throws(JSONError) -> Value) throws(MemberFault) -> Value {
    do throws(JSONError) { return try read() } catch { throw .json(error) }
  }

  private mutating func read(_ name: String, _ reader: inout JSONReader) throws(MemberFault) {
    if let quantity = Quantity(name: name) {
      quantities[quantity.rawValue] = try value(quantity, name, &reader)
      return
    }
    if let word = WordMember(name: name) {
      words[word.rawValue] = try json { () throws(JSONError) in try reader.string() }
      return
    }
    switch name {
    case "event": event = try json { () throws(JSONError) in try reader.string() }
    case "function": function = try json { () throws(JSONError) in try reader.string() }
    case "version": version = try json { () throws(JSONError) in try reader.string() }
    case "instance": instance = try json { () throws(JSONError) in try reader.string() }
    case "request": request = try json { () throws(JSONError) in try reader.string() }
    case "coldStart": flags[Flag.coldStart.rawValue] = try json { () throws(JSONError) in try reader.boolean() }
    case "spillover": flags[Flag.spillover.rawValue] = try json { () throws(JSONError) in try reader.boolean() }
    case "succeeded": flags[Flag.succeeded.rawValue] = try json { () throws(JSONError) in try reader.boolean() }
    case "gone": flags[Flag.gone.rawValue] = try json { () throws(JSONError) in try reader.boolean() }
    case "provisioned": provisioned = try json { () throws(JSONError) in try EventFields.provisioned(&reader) }
    case "functions": functions = try json { () throws(JSONError) in try EventFields.names(&reader) }
    case "source":
      isSender = true
      source = try json { () throws(JSONError) in try reader.stringOrOther() }
    case "sequence":
      isSender = true
      sequence = try json { () throws(JSONError) in try reader.integerOrOther().flatMap { UInt64(exactly: $0) } }
    case "changes": changes = try EventFields.changes(&reader)
    default:
      guard let trigger = Trigger(name: name), try json({ () throws(JSONError) in try reader.kind() }) == .string else {
        return try json { () throws(JSONError) in try reader.skip() }
      }
      eventSource = EventSourceID(trigger, try json { () throws(JSONError) in try reader.string() })
    }
  }

  private func value(
    _ quantity: Quantity, _ name: String, _ reader: inout JSONReader
  ) throws(MemberFault) -> Int64 {
    switch quantity.form {
    case .instant:
      guard try json({ () throws(JSONError) in try reader.kind() }) == .string else {
        return try json { () throws(JSONError) in try reader.signed() }
      }
      let text = try json { () throws(JSONError) in try reader.string() }
      guard let nanoseconds = RFC3339.nanoseconds(text) else {
        let sentence = "\(name) is \"\(text.prefix(64))\", which is no time of RFC 3339, as 2026-11-23T10:00:00.25Z is"
        throw .line(LineFault(.malformed, sentence))
      }
      return nanoseconds
    case .length:
      let length = try json { () throws(JSONError) in try reader.nanoseconds() }
      guard let nanoseconds = Int64(exactly: length) else {
        throw .line(LineFault(.malformed, "\(name) is longer than 292 years"))
      }
      return nanoseconds
    case .count: return try json { () throws(JSONError) in try reader.signed() }
    }
  }

  private static func provisioned(_ reader: inout JSONReader) throws(JSONError) -> ProvisionedConcurrency {
    var provisioned = ProvisionedConcurrency(requested: 0, allocated: 0, available: 0)
    try reader.object { reader, name throws(JSONError) in
      switch name {
      case "requested": provisioned.requested = try reader.signed()
      case "allocated": provisioned.allocated = try reader.signed()
      case "available": provisioned.available = try reader.signed()
      default: try reader.skip()
      }
    }
    return provisioned
  }

  private static func names(_ reader: inout JSONReader) throws(JSONError) -> [String] {
    var names: [String] = []
    try reader.array { reader throws(JSONError) in names.append(try reader.string()) }
    return names
  }
}

extension EventFields.Quantity {
  fileprivate init?(name: String) {
    switch name {
    case "time": self = .time
    case "start": self = .start
    case "wait": self = .wait
    case "duration": self = .duration
    case "billed": self = .billed
    case "lifetime": self = .lifetime
    case "timeout": self = .timeout
    case "memoryLimitBytes": self = .memoryLimitBytes
    case "memoryUsedBytes": self = .memoryUsedBytes
    case "temporaryStorageLimitBytes": self = .temporaryStorageLimitBytes
    case "responseBytes": self = .responseBytes
    case "responseStatus": self = .responseStatus
    case "invocationsServed": self = .invocationsServed
    case "reserved": self = .reserved
    case "concurrency": self = .concurrency
    default: return nil
    }
  }
}

extension EventFields.WordMember {
  fileprivate init?(name: String) {
    switch name {
    case "trigger": self = .trigger
    case "pool": self = .pool
    case "outcome": self = .outcome
    case "timeoutSource": self = .timeoutSource
    case "initializationType": self = .initializationType
    case "phase": self = .phase
    case "status": self = .status
    case "reason": self = .reason
    default: return nil
    }
  }
}
