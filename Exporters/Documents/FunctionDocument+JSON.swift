import Text
import Lifecycle

extension FunctionDocument {
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("function", function)
    if let version { writer.member("version", version) }
    writer.member("firstSeen", RFC3339.text(firstSeen))
    if isGone { writer.member("gone", true) }
    if let limits { limits.write(to: &writer) }
    writeActivity(to: &writer)
    writer.endObject()
  }

  /// The members about what it does: all after `limits`.
  func writeActivity(to writer: inout JSONWriter) {
    writer.key("instances")
    writer.beginObject()
    writer.member("initializing", initializing)
    writer.member("idle", idle)
    writer.member("busy", busy)
    writer.endObject()
    writer.member("concurrentExecutions", concurrentExecutions)
    writer.member("overlappingExecutions", overlappingExecutions)
    writer.key("totals")
    writer.beginObject()
    writer.member("invocations", totals.invocations)
    writer.member("errors", totals.errors)
    writer.member("throttles", totals.throttles)
    writer.member("timeouts", totals.timeouts)
    writer.member("coldStarts", totals.coldStarts)
    writer.endObject()
    startFailure?.write(to: &writer)
  }

  init(from reader: inout JSONReader) throws(JSONError) {
    let position = reader.position
    var document = FunctionDocument()
    var isNamed = false
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "function":
        document.function = try reader.string()
        isNamed = true
      case "version": document.version = try reader.stringOrNull()
      case "firstSeen": document.firstSeen = try reader.time()
      case "gone": document.isGone = try reader.boolean()
      case "limits": document.limits = try Limits(from: &reader)
      case "instances": try document.readInstances(&reader)
      case "concurrentExecutions": document.concurrentExecutions = try reader.signed()
      case "overlappingExecutions": document.overlappingExecutions = try reader.signed()
      case "totals": try document.readTotals(&reader)
      case "startFailure": document.startFailure = try reader.takeNull() ? nil : try StartFailure(from: &reader)
      default: try reader.skip()
      }
    }
    guard isNamed else { throw JSONError(.missing, "a function has no name", position: position) }
    self = document
  }

  private init() {
    function = ""
    version = nil
    firstSeen = Timestamp(nanoseconds: 0)
    limits = nil
    initializing = 0
    idle = 0
    busy = 0
    concurrentExecutions = 0
    overlappingExecutions = 0
    totals = Totals(invocations: 0, errors: 0, throttles: 0, timeouts: 0, coldStarts: 0)
  }

  private mutating func readInstances(_ reader: inout JSONReader) throws(JSONError) {
    var states: (initializing: Int64, idle: Int64, busy: Int64) = (0, 0, 0)
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "initializing": states.initializing = try reader.signed()
      case "idle": states.idle = try reader.signed()
      case "busy": states.busy = try reader.signed()
      default: try reader.skip()
      }
    }
    (initializing, idle, busy) = states
  }

  private mutating func readTotals(_ reader: inout JSONReader) throws(JSONError) {
    var read = totals
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "invocations": read.invocations = try reader.unsigned()
      case "errors": read.errors = try reader.unsigned()
      case "throttles": read.throttles = try reader.unsigned()
      case "timeouts": read.timeouts = try reader.unsigned()
      case "coldStarts": read.coldStarts = try reader.unsigned()
      default: try reader.skip()
      }
    }
    totals = read
  }
}

extension FunctionDocument.StartFailure {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("startFailure")
    writer.beginObject()
    writer.member("time", RFC3339.text(time))
    writer.member("reason", reason)
    writer.key("lines")
    writer.beginArray()
    for line in lines { writer.string(line) }
    writer.endArray()
    writer.endObject()
  }

  fileprivate init(from reader: inout JSONReader) throws(JSONError) {
    var failure = FunctionDocument.StartFailure(time: Timestamp(nanoseconds: 0), reason: "", lines: [])
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "time": failure.time = try reader.time()
      case "reason": failure.reason = try reader.string()
      case "lines":
        try reader.array { (reader: inout JSONReader) throws(JSONError) in failure.lines.append(try reader.string()) }
      default: try reader.skip()
      }
    }
    self = failure
  }
}

extension FunctionDocument.Limits {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("limits")
    writer.beginObject()
    writer.member("memoryLimitBytes", memoryLimitBytes)
    writer.member("timeoutSeconds", nanoseconds: Int128(timeout.count))
    writer.member("temporaryStorageLimitBytes", temporaryStorageLimitBytes)
    writer.member("reserved", orNull: reserved)
    writer.key("provisioned")
    if let provisioned {
      provisioned.write(to: &writer)
    } else {
      writer.null()
    }
    writer.endObject()
  }

  fileprivate init(from reader: inout JSONReader) throws(JSONError) {
    var limits = FunctionDocument.Limits(
      memoryLimitBytes: 0, timeout: .zero, temporaryStorageLimitBytes: 0, reserved: nil, provisioned: nil)
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "memoryLimitBytes": limits.memoryLimitBytes = try reader.signed()
      case "timeoutSeconds": limits.timeout = try reader.duration()
      case "temporaryStorageLimitBytes": limits.temporaryStorageLimitBytes = try reader.signed()
      case "reserved": limits.reserved = try reader.signedOrNull()
      case "provisioned":
        limits.provisioned = try reader.takeNull() ? nil : try FunctionDocument.Provisioned(from: &reader)
      default: try reader.skip()
      }
    }
    self = limits
  }
}

extension FunctionDocument.Provisioned {
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("requested", requested)
    writer.member("allocated", allocated)
    writer.member("available", available)
    writer.member("status", status)
    writer.endObject()
  }

  fileprivate init(from reader: inout JSONReader) throws(JSONError) {
    var provisioned = FunctionDocument.Provisioned(requested: 0, allocated: 0, available: 0, status: "")
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "requested": provisioned.requested = try reader.signed()
      case "allocated": provisioned.allocated = try reader.signed()
      case "available": provisioned.available = try reader.signed()
      case "status": provisioned.status = try reader.string()
      default: try reader.skip()
      }
    }
    self = provisioned
  }
}
