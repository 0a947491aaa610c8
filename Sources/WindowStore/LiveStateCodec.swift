internal import Lifecycle
internal import Windows

/// The stored form of what is in progress: a version, the functions that it names, then executions, instances,
/// overlaps and the account's limit.
enum LiveStateCodec {
  static let version: UInt8 = 3

  static func encode(_ live: LiveState) -> [UInt8] {
    var names = FunctionTable()
    var body = ByteWriter()
    body.list(live.executions) { $0.write($1, &names) }
    body.list(live.instances) { $0.write($1, &names) }
    body.list(live.overlaps) { $0.write($1, &names) }
    body.optional(live.accountLimits) { writer, limits in
      writer.signed(limits.time.nanoseconds)
      writer.signed(limits.concurrency)
    }
    var head = ByteWriter()
    head.byte(version)
    head.list(names.functions) { writer, function in
      writer.text(function.name)
      writer.text(function.version)
    }
    return head.bytes + body.bytes
  }

  static func decode(_ bytes: [UInt8]) throws(StoreError) -> LiveState {
    var reader = ByteReader(bytes, what: "live state")
    let version = try reader.version(through: version)
    let functions = try reader.list { (reader) throws(StoreError) in
      FunctionID(try reader.text(), version: try reader.text())
    }
    var live = LiveState()
    live.executions = try reader.list { (reader) throws(StoreError) in try reader.execution(functions, version) }
    live.instances = try reader.list { (reader) throws(StoreError) in try reader.instance(functions, version) }
    live.overlaps = try reader.list { (reader) throws(StoreError) in try reader.overlap(functions, version) }
    live.accountLimits = try reader.optional { (reader) throws(StoreError) in
      AccountLimitsChanged(time: Timestamp(nanoseconds: try reader.signed()), concurrency: try reader.signed())
    }
    try reader.expectEnd()
    return live
  }
}

/// Numbers functions in the order in which they are met.
private struct FunctionTable {
  private(set) var functions: [FunctionID] = []
  private var numbers: [FunctionID: UInt64] = [:]

  mutating func number(_ function: FunctionID) -> UInt64 {
    if let number = numbers[function] { return number }
    let number = UInt64(functions.count)
    functions.append(function)
    numbers[function] = number
    return number
  }
}

extension ByteWriter {
  fileprivate mutating func write(_ identifier: Identifier128) {
    fixed(identifier.high)
    fixed(identifier.low)
  }

  fileprivate mutating func write(_ time: Timestamp?) { optional(time) { $0.signed($1.nanoseconds) } }

  fileprivate mutating func write(_ execution: LiveExecution, _ names: inout FunctionTable) {
    write(execution.request.value)
    unsigned(names.number(execution.function))
    optional(execution.instance) { $0.write($1.value) }
    signed(execution.start.nanoseconds)
    byte(execution.pool.rawValue)
    write(execution.presumedEnd)
    byte(execution.isRemote ? 1 : 0)
  }

  fileprivate mutating func write(_ instance: LiveInstance, _ names: inout FunctionTable) {
    write(instance.instance.value)
    unsigned(names.number(instance.function))
    byte(instance.initializationType.rawValue)
    write(instance.started)
    write(instance.stopped)
    optional(instance.initialization) { $0.signed($1.count) }
    byte(instance.isReady ? 1 : 0)
    unsigned(instance.invocations)
    optional(instance.warmUp) { $0.signed($1.count) }
    byte(instance.isRemote ? 1 : 0)
  }

  fileprivate mutating func write(_ overlap: LiveOverlap, _ names: inout FunctionTable) {
    write(overlap.request.value)
    unsigned(names.number(overlap.function))
    write(overlap.instance.value)
    write(overlap.start)
    write(overlap.end)
    write(overlap.presumedEnd)
    byte(overlap.isRemote ? 1 : 0)
  }
}

extension ByteReader {
  private mutating func identifier() throws(StoreError) -> Identifier128 {
    Identifier128(high: try fixed(), low: try fixed())
  }

  private mutating func time() throws(StoreError) -> Timestamp? {
    try optional { (reader) throws(StoreError) in Timestamp(nanoseconds: try reader.signed()) }
  }

  mutating func flag() throws(StoreError) -> Bool {
    switch try byte() {
    case 0: false
    case 1: true
    default: throw damage
    }
  }

  /// Before version 3 there were only events of this process.
  private mutating func isRemote(_ version: UInt8) throws(StoreError) -> Bool { version < 3 ? false : try flag() }

  private mutating func function(_ functions: [FunctionID]) throws(StoreError) -> FunctionID {
    let number = try unsigned()
    guard number < UInt64(functions.count) else { throw damage }
    return functions[Int(number)]
  }

  fileprivate mutating func execution(_ functions: [FunctionID], _ version: UInt8) throws(StoreError) -> LiveExecution {
    LiveExecution(
      request: RequestID(try identifier()), function: try function(functions),
      instance: try optional { (reader) throws(StoreError) in InstanceID(try reader.identifier()) },
      start: Timestamp(nanoseconds: try signed()), pool: try word(), presumedEnd: try time(),
      isRemote: try isRemote(version))
  }

  fileprivate mutating func instance(_ functions: [FunctionID], _ version: UInt8) throws(StoreError) -> LiveInstance {
    LiveInstance(
      instance: InstanceID(try identifier()), function: try function(functions), initializationType: try word(),
      started: try time(), stopped: try time(),
      initialization: try optional { (reader) throws(StoreError) in Nanoseconds(try reader.signed()) },
      isReady: try flag(), invocations: try unsigned(),
      // Version 1 did not have it.
      warmUp: version < 2
        ? nil : try optional { (reader) throws(StoreError) in Nanoseconds(try reader.signed()) },
      isRemote: try isRemote(version))
  }

  fileprivate mutating func overlap(_ functions: [FunctionID], _ version: UInt8) throws(StoreError) -> LiveOverlap {
    LiveOverlap(
      request: RequestID(try identifier()), function: try function(functions), instance: InstanceID(try identifier()),
      start: try time(), end: try time(), presumedEnd: try time(), isRemote: try isRemote(version))
  }
}
