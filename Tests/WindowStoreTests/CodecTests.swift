import Lifecycle
import TestSupport
import Testing

@testable import WindowStore
@testable import Windows

@Suite struct `Codec tests` {
  @Test(arguments: 0..<50)
  func `a rollup comes back as it was`(_ seed: Int) throws {
    var generator = SeededGenerator(UInt64(seed))
    let rollup = Rollup.random(&generator)
    #expect(try RollupCodec.decode(RollupCodec.encode(rollup)) == rollup)
  }

  @Test func `told lives come back, and damage is found`() throws {
    let told = [
      ToldLife(
        kind: .invocation, identity: Identifier128(high: 1, low: .max), start: Timestamp(seconds: 7),
        end: .init(seconds: 9)),
      ToldLife(kind: .initialization, identity: .zero, start: Timestamp(seconds: 3), end: Timestamp(seconds: 3)),
    ]
    let bytes = ToldCodec.encode(told)
    #expect(try ToldCodec.decode(bytes) == told)
    let ready = InstanceReady(
      time: Timestamp(seconds: 9), duration: .seconds(-5), initializationType: .onDemand, phase: .initialization,
      status: .success)
    let negative = try #require(
      ToldLife(LifecycleEvent(.instance(InstanceID(.zero), of: FunctionID("f")), .instanceReady(ready))))
    #expect(try ToldCodec.decode(ToldCodec.encode([negative])) == [negative], "whatever a sender makes up")
    for length in 0..<bytes.count {
      #expect(throws: StoreError.self) { try ToldCodec.decode(Array(bytes.prefix(length))) }
    }
    var other = bytes
    other[2] = 3
    #expect(throws: StoreError.self) { try ToldCodec.decode(other) }
    // An end before its start.
    other = bytes
    other[bytes.count - 1] = 1
    #expect(throws: StoreError.self) { try ToldCodec.decode(other) }
  }

  @Test func `an empty rollup takes a dozen bytes`() throws {
    let bytes = RollupCodec.encode(Rollup())
    #expect(bytes.count <= 12)
    #expect(try RollupCodec.decode(bytes) == Rollup())
  }

  @Test func `every field is stored`() {
    let emptyFunction = FunctionCheckpoint(
      function: FunctionID("f"), firstSeen: Timestamp(seconds: 0), totals: Tally(), concurrencyNanoseconds: 0,
      endedConcurrencyNanoseconds: 0, limits: [])
    // A field that is added to one of these needs a place in the stored form. Tallies are tested row by row.
    #expect(Mirror(reflecting: Peaks()).children.count == 7)
    #expect(Mirror(reflecting: Rollup()).children.count == 4)
    #expect(Mirror(reflecting: EventSourceRollup()).children.count == 2)
    #expect(Mirror(reflecting: EventSourcePeaks()).children.count == 2)
    #expect(Mirror(reflecting: EventSourcePresent()).children.count == 4)
    #expect(Mirror(reflecting: LiveState()).children.count == 4)
    #expect(Mirror(reflecting: emptyFunction).children.count == 7)
    #expect(Mirror(reflecting: EndedPeaks()).children.count == 2)
    #expect(Mirror(reflecting: LiveState.example.executions[0]).children.count == 7)
    #expect(Mirror(reflecting: LiveState.example.instances[0]).children.count == 10)
    #expect(Mirror(reflecting: LiveState.example.overlaps[0]).children.count == 7)
    #expect(Mirror(reflecting: FunctionLimitsChanged.example).children.count == 7)
  }

  @Test(arguments: TallyNumber.all)
  func `a number of a tally comes back by itself`(_ number: TallyNumber) throws {
    var rollup = Rollup()
    number.add(3, to: &rollup.tally)
    let bytes = RollupCodec.encode(rollup)
    let decoded = try RollupCodec.decode(bytes)
    #expect(decoded == rollup)
    #expect(number.total(of: decoded.tally) == number.total(3))
    // After the version comes the mask, in which each number has the bit of its raw value.
    var reader = ByteReader(Array(bytes.dropFirst()), what: "mask")
    #expect(try reader.unsigned() == 1 << UInt64(number.field.rawValue))
  }

  @Test func `a tally that was stored before there was a table is read`() throws {
    // As docs/formats/store.md has it: version; mask of errors (1), throttles (5), spillover (11), billed (13); 3 errors; 5 throttles
    // of the second reason; 200 spillovers; 7 ns billed; six peaks, no utilization, no integral.
    let bytes: [UInt8] = [1, 0xA2, 0x50, 3, 0b10, 5, 0xC8, 0x01, 14, 0, 0, 0, 0, 0, 0, 0, 0]
    var rollup = Rollup()
    rollup.tally.errors = 3
    rollup.tally.throttles[.reservedFunctionConcurrentInvocationLimit] = 5
    rollup.tally.spilloverInvocations = 200
    rollup.tally.billedNanoseconds = 7
    #expect(try RollupCodec.decode(bytes) == rollup)
    #expect(RollupCodec.encode(rollup) == bytes)
  }

  @Test(arguments: [UInt64.min, 1, 127, 128, 16_383, 16_384, 1 << 63, .max])
  func `numbers come back`(_ value: UInt64) throws {
    var writer = ByteWriter()
    writer.unsigned(value)
    writer.signed(Int64(bitPattern: value))
    writer.wide(Int128(value) << 60)
    writer.wide(-(Int128(value) << 60))
    writer.wide(.min)
    writer.wide(.max)
    writer.fixed(value)
    var reader = ByteReader(writer.bytes, what: "number")
    #expect(try reader.unsigned() == value)
    #expect(try reader.signed() == Int64(bitPattern: value))
    #expect(try reader.wide() == Int128(value) << 60)
    #expect(try reader.wide() == -(Int128(value) << 60))
    #expect(try reader.wide() == .min)
    #expect(try reader.wide() == .max)
    #expect(try reader.fixed() == value)
    #expect(reader.remaining == 0)
  }

  @Test(arguments: [
    [], [0x80], Array(repeating: 0xFF, count: 10), Array(repeating: 0x80, count: 10) + [0], [0xFF, 0xFF],
  ])
  func `a number that does not end or is too large is damage`(_ bytes: [UInt8]) {
    var reader = ByteReader(bytes, what: "number")
    #expect(throws: StoreError.self) { _ = try reader.unsigned() }
  }

  @Test func `edges come back`() throws {
    let edges: [UInt64] = [0, 1, 1, 5, 1 << 40, .max]
    #expect(try EdgesCodec.decode(EdgesCodec.encode(edges)) == edges)
    #expect(try EdgesCodec.decode(EdgesCodec.encode([])).isEmpty)
  }

  @Test func `edges that descend are damage`() {
    #expect(throws: StoreError.self) { _ = try EdgesCodec.decode(EdgesCodec.encode([2, 1])) }
  }

  @Test func `live state comes back`() throws {
    #expect(try LiveStateCodec.decode(LiveStateCodec.encode(.example)) == .example)
    #expect(try LiveStateCodec.decode(LiveStateCodec.encode(LiveState())) == LiveState())
  }

  @Test func `totals and limits come back`() throws {
    var generator = SeededGenerator(7)
    for limits in [[], [FunctionLimitsChanged.example, .example], [.example, .gone(at: Timestamp(seconds: 5))]] {
      let function = FunctionCheckpoint(
        function: FunctionID("orders"), firstSeen: Timestamp(nanoseconds: -5), totals: .random(&generator),
        concurrencyNanoseconds: 1 << 90, endedConcurrencyNanoseconds: 3, limits: limits,
        endedPeaks: [
          StoredEndedPeaks(start: Timestamp(seconds: 60), peaks: EndedPeaks(duration: .seconds(2), memoryUsedBytes: 9))
        ])
      #expect(try FunctionCodec.decode(FunctionCodec.encode(function), function: function.function) == function)
    }
  }

  @Test func `totals that were stored before there were largest values by end are read`() throws {
    let function = FunctionCheckpoint(
      function: FunctionID("orders"), firstSeen: Timestamp(seconds: 5), totals: Tally(), concurrencyNanoseconds: 4,
      endedConcurrencyNanoseconds: 3, limits: [.example])
    // The first form had another version, no list at its end, and before that nothing about functions that are gone.
    let bytes = [1] + FunctionCodec.encode(function).dropFirst().dropLast(2)
    #expect(try FunctionCodec.decode(bytes, function: function.function) == function)
    // The second had the list.
    let second = [2] + bytes.dropFirst() + [0]
    #expect(try FunctionCodec.decode(second, function: function.function) == function)
    for version: UInt8 in [0, 3, 4] {
      #expect(throws: StoreError.self) {
        _ = try FunctionCodec.decode([version] + bytes.dropFirst(), function: function.function)
      }
    }
  }

  @Test func `live state that was stored before it had warm-ups is read`() throws {
    var live = LiveState()
    live.instances = [LiveState.example.instances[1]]
    let bytes = LiveStateCodec.encode(live)
    // Behind the instance come neither overlaps nor a limit, a byte each; its own last bytes say that there was no warm-up, and
    // that it is of this process.
    let first = [1] + bytes.dropFirst().dropLast(4) + bytes.suffix(2)
    #expect(try LiveStateCodec.decode(first) == live)
    let second = [2] + bytes.dropFirst().dropLast(3) + bytes.suffix(2)
    #expect(try LiveStateCodec.decode(second) == live)
    for version: UInt8 in [0, 2, 3, 4] {
      #expect(throws: StoreError.self) { _ = try LiveStateCodec.decode([version] + first.dropFirst()) }
    }
  }

  @Test(arguments: 0..<20)
  func `damaged bytes are an error or another value and never a trap`(_ seed: Int) {
    var generator = SeededGenerator(UInt64(seed) &+ 1_000)
    let blobs = [
      RollupCodec.encode(.random(&generator)), EdgesCodec.encode([3, 9, 27]), LiveStateCodec.encode(.example),
    ]
    for blob in blobs {
      for _ in 0..<100 { decodeAll(Array(blob.prefix(Int.random(in: blob.indices, using: &generator)))) }
      for _ in 0..<300 {
        var bytes = blob
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
        }
        decodeAll(bytes)
      }
    }
  }

  @Test func `what is cut short or too long is damage`() {
    var generator = SeededGenerator(3)
    let blob = RollupCodec.encode(.random(&generator))
    for length in 0..<blob.count {
      #expect(throws: StoreError.self) { _ = try RollupCodec.decode(Array(blob.prefix(length))) }
    }
    #expect(throws: StoreError.self) { _ = try RollupCodec.decode(blob + [0]) }
  }

  @Test func `a distribution whose counts do not add up is damage`() {
    let cell = StoredCell(bucket: 0, isAboveCut: false, count: 2)
    func make(count: UInt64, minimum: Int64 = 1, bucket: Int32 = 0) -> Distribution? {
      var cell = cell
      cell.bucket = bucket
      return Distribution(
        .duration, count: count, sum: 9, minimum: minimum, maximum: 5, zeroCount: 1, cells: [cell])
    }
    #expect(make(count: 3) != nil)
    #expect(make(count: 4) == nil)
    #expect(make(count: 3, minimum: 6) == nil)
    #expect(make(count: 3, minimum: -1) == nil)
    #expect(make(count: 3, bucket: 401) == nil)
  }

  private func decodeAll(_ bytes: [UInt8]) {
    // That it returns is the test.
    _ = try? RollupCodec.decode(bytes)
    _ = try? EdgesCodec.decode(bytes)
    _ = try? LiveStateCodec.decode(bytes)
    _ = try? FunctionCodec.decode(bytes, function: FunctionID("f"))
  }
}

extension FunctionLimitsChanged {
  static let example = FunctionLimitsChanged(
    time: Timestamp(seconds: 9), reserved: 0,
    provisioned: ProvisionedConcurrency(requested: 3, allocated: 2, available: 1), memoryLimitBytes: 1 << 29,
    timeout: .seconds(10), temporaryStorageLimitBytes: 1 << 28)
}

extension LiveState {
  static var example: LiveState {
    let orders = FunctionID("orders")
    let mail = FunctionID("mail", version: "7")
    let instance = InstanceID(Identifier128(high: 1, low: .max))
    var live = LiveState()
    live.executions = [
      LiveExecution(
        request: RequestID(Identifier128(high: 5, low: 6)), function: orders, instance: instance,
        start: Timestamp(nanoseconds: 77), pool: .reserved, presumedEnd: nil, isRemote: true),
      LiveExecution(
        request: RequestID(Identifier128(high: 5, low: 7)), function: mail, instance: nil,
        start: Timestamp(nanoseconds: 78), pool: .provisioned, presumedEnd: Timestamp(nanoseconds: 79)),
    ]
    live.instances = [
      LiveInstance(
        instance: instance, function: orders, initializationType: .snapStart, started: nil,
        stopped: Timestamp(nanoseconds: 3), initialization: Nanoseconds(4), isReady: true, invocations: 5,
        warmUp: Nanoseconds(6), isRemote: true),
      LiveInstance(
        instance: InstanceID(.zero), function: mail, initializationType: .onDemand, started: Timestamp(nanoseconds: 2),
        stopped: nil, initialization: nil, isReady: false, invocations: 0, warmUp: nil),
    ]
    live.overlaps = [
      LiveOverlap(
        request: RequestID(.zero), function: mail, instance: instance, start: Timestamp(nanoseconds: 1), end: nil,
        presumedEnd: Timestamp(nanoseconds: 4))
    ]
    live.accountLimits = AccountLimitsChanged(time: Timestamp(nanoseconds: 2), concurrency: 1_000)
    return live
  }
}
