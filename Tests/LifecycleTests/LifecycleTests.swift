import Lifecycle
import Testing

@Suite struct `Timestamp tests` {
  @Test(
    arguments: [
      (0, 1, 1), (.max, 1, .max), (.max, .max, .max), (.min, -1, .min), (.min, .min, .min), (.max, .min, -1),
      (.max - 1, 1, .max), (-5, 5, 0),
    ] as [(Int64, Int64, Int64)])
  func `adding saturates`(time: Int64, length: Int64, expected: Int64) {
    #expect((Timestamp(nanoseconds: time) + Nanoseconds(length)).nanoseconds == expected)
    #expect((Nanoseconds(time) + Nanoseconds(length)).count == expected)
  }

  @Test(
    arguments: [
      (5, 7, -2), (.min, 1, .min), (.max, -1, .max), (0, .min, .max), (-1, .min, .max), (.min, .min, 0),
      (.max, .max, 0),
      (.max, .min, .max), (.min, .max, .min),
    ] as [(Int64, Int64, Int64)])
  func `subtracting saturates`(time: Int64, other: Int64, expected: Int64) {
    #expect((Timestamp(nanoseconds: time) - Nanoseconds(other)).nanoseconds == expected)
    #expect((Timestamp(nanoseconds: time) - Timestamp(nanoseconds: other)).count == expected)
  }

  @Test(
    arguments: [
      (0, 0), (1, 1_000_000_000), (-1, -1_000_000_000), (9_223_372_036, 9_223_372_036_000_000_000),
      (9_223_372_037, .max), (-9_223_372_037, .min), (.max, .max), (.min, .min),
    ] as [(Int64, Int64)])
  func `seconds saturate`(seconds: Int64, expected: Int64) {
    #expect(Timestamp(seconds: seconds).nanoseconds == expected)
    #expect(Nanoseconds.seconds(seconds).count == expected)
  }

  @Test(arguments: [(1, 1_000_000), (.max, .max), (.min, .min), (-3, -3_000_000)] as [(Int64, Int64)])
  func `milliseconds saturate`(milliseconds: Int64, expected: Int64) {
    #expect(Nanoseconds.milliseconds(milliseconds).count == expected)
  }
}

@Suite struct `Identity tests` {
  static let identifier = Identifier128(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)

  @Test(arguments: [
    "01234567-89ab-cdef-fedc-ba9876543210", "0123456789abcdeffedcba9876543210", "0123456789ABCDEFFEDCBA9876543210",
    "01234567-89AB-CDEF-FEDC-BA9876543210",
  ])
  func `an identifier is read with hyphens and without, in either case`(text: String) {
    #expect(Identifier128(text: text) == Self.identifier)
  }

  @Test(arguments: [
    "", "-", "0123456789abcdeffedcba987654321", "0123456789abcdeffedcba98765432100",
    "0123456789abcdeffedcba987654321g", "0123456789abcdeffedcba987654321 ", " 0123456789abcdeffedcba9876543210",
    "0123456789abcdeffedcba987654321\u{0}", "{01234567-89ab-cdef-fedc-ba9876543210}",
    "0x234567-89ab-cdef-fedc-ba9876543210",
    "０123456789abcdeffedcba9876543210", "0123456789abcdeffedcba987654321é",
  ])
  func `what is no identifier is not read`(text: String) {
    #expect(Identifier128(text: text) == nil)
  }

  @Test func `an identifier's texts are those of a UUID`() {
    #expect(Self.identifier.uuidText == "01234567-89ab-cdef-fedc-ba9876543210")
    #expect(Self.identifier.hexadecimalText == "0123456789abcdeffedcba9876543210")
    #expect(Identifier128.zero.uuidText == "00000000-0000-0000-0000-000000000000")
  }

  @Test func `random identifiers are version 4 and are read back`() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      let identifier = Identifier128.random(using: &generator)
      let text = Array(identifier.uuidText)
      #expect(text[14] == "4" && "89ab".contains(text[19]))
      #expect(Identifier128(text: identifier.uuidText) == identifier)
      #expect(Identifier128(text: identifier.hexadecimalText) == identifier)
    }
  }

  @Test func `identifiers and functions are in order`() {
    let identifiers = [(0, 0), (0, 1), (0, UInt64.max), (1, 0), (UInt64.max, 0)].map {
      Identifier128(high: $0, low: $1)
    }
    #expect(identifiers.reversed().sorted() == identifiers)
    let functions = [FunctionID("a", version: "1"), FunctionID("a", version: "2"), FunctionID("b", version: "0")]
    #expect(functions.reversed().sorted() == functions)
    #expect(FunctionID("a").version == "$LATEST")
  }
}

@Suite struct `Word tests` {
  /// Names are unique and read back, and raw values are dense from 0, so that counters by word are arrays.
  private func expectWords<W: Word>(_: W.Type, _ names: [String]) {
    #expect(W.allCases.map(\.name) == names)
    #expect(Set(names).count == names.count)
    for (position, word) in W.allCases.enumerated() {
      #expect(word.rawValue == UInt8(position))
      #expect(W(name: word.name) == word)
      #expect(W(name: word.name.uppercased() + "x") == nil)
    }
    #expect(W(name: "") == nil)
    #expect(W(rawValue: UInt8(names.count)) == nil)
  }

  @Test func `words are written as documented`() {
    expectWords(
      InitializationType.self, ["on-demand", "provisioned-concurrency", "snap-start", "lambda-managed-instances"])
    expectWords(InitializationPhase.self, ["init", "invoke"])
    expectWords(InitializationStatus.self, ["success", "error", "timeout"])
    expectWords(Trigger.self, ["http", "websocket", "queue", "schedule", "direct"])
    expectWords(Outcome.self, ["success", "error", "timeout", "crash", "out-of-memory"])
    expectWords(TimeoutSource.self, ["init", "handler", "platform", "gateway"])
    expectWords(StopReason.self, ["idle", "timeout", "failure", "scale-in", "shutdown"])
    expectWords(ConcurrencyPool.self, ["provisioned", "reserved", "unreserved"])
    expectWords(InstanceState.self, ["initializing", "idle", "busy"])
    expectWords(
      ThrottleReason.self,
      [
        "ConcurrentInvocationLimitExceeded", "ReservedFunctionConcurrentInvocationLimitExceeded",
        "FunctionInvocationRateLimitExceeded", "ReservedFunctionInvocationRateLimitExceeded", "CallerRateLimitExceeded",
        "ConcurrentSnapshotCreateLimitExceeded",
      ])
  }
}

@Suite struct `Invocation finished tests` {
  @Test(
    arguments: [
      (10, 0, 0, 10), (10, 3, 4, 17), (10, -3, 4, 14), (10, 3, -4, 13), (10, .min, .min, 10), (10, .max, .max, .max),
      (.max, 1, 1, .max), (0, .max, 0, .max), (-10, 0, 5, -5), (.min, 0, 0, .min),
    ] as [(Int64, Int64, Int64, Int64)])
  func `an invocation ends after its wait and its duration, never before its start`(
    start: Int64, wait: Int64, duration: Int64, end: Int64
  ) {
    let finished = InvocationFinished(
      request: RequestID(.zero), start: Timestamp(nanoseconds: start), wait: Nanoseconds(wait),
      duration: Nanoseconds(duration), trigger: .http, pool: .reserved, outcome: .success)
    #expect(finished.end.nanoseconds == end)
  }
}
