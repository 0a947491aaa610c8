import LambdaRecords
import Lifecycle
import Text

/// The same events of two functions' streams, in every container that there is.
enum GoldenCorpus {
  struct Event {
    var stream: String
    /// Milliseconds since ``begin``.
    var time: Int64
    var message: String

    var milliseconds: Int64 { GoldenCorpus.begin + time }
    var nanoseconds: Int64 { milliseconds * 1_000_000 }
    /// Without what its end is.
    var trimmed: String {
      var text = message
      while let last = text.last, last.isWhitespace { text.removeLast() }
      return text
    }
  }

  /// 24 November 2026, 10:00, in milliseconds.
  static let begin: Int64 = 1_795_514_400_000
  static let first = "2026/11/24/[$LATEST]0a000000000000000000000000000001"
  static let second = "2026/11/24/[$LATEST]0b000000000000000000000000000002"
  static let restored = "2026/11/24/[7]0c000000000000000000000000000003"

  private static func id(_ number: Int) -> String { "5e1f0000-0000-4000-8000-0000000000\(number)" }

  private static func report(_ number: Int, _ fields: String, trace: Bool = false) -> String {
    "REPORT RequestId: \(id(number))\t\(fields)\t\n"
      + (trace
        ? "XRAY TraceId: 1-6a507b87-0cc4438344b48ef127ab00\(number)\tSegmentId: d0025b207c5500\(number)\tSampled: true\t\n"
        : "")
  }

  private static let memory = "Memory Size: 128 MB\tMax Memory Used: 90 MB"

  /// In the order of time.
  static let events: [Event] = unordered.sorted { $0.time < $1.time }

  private static let unordered: [Event] = firstEvents + secondEvents + restoredEvents

  private static func event(_ stream: String, _ time: Int64, _ message: String) -> Event {
    Event(stream: stream, time: time, message: message)
  }

  private static let firstEvents: [Event] = [
    event(
      first, 0,
      "INIT_START Runtime Version: python:3.13.v30\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:00\n"),
    event(first, 300, "EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n"),
    event(first, 301, "TELEMETRY\tName: agent\tState: Subscribed\tTypes: [Platform, Function]\n"),
    event(first, 500, "START RequestId: \(id(11)) Version: $LATEST\n"),
    event(first, 510, "the program says REPORT RequestId: \(id(99))\tDuration: 1.00 ms\n"),
    event(
      first, 511,
      "two lines, the second of which looks like the platform's:\nREPORT RequestId: \(id(98))\tDuration: 9.00 ms\tBilled Duration: 9 ms\n"
    ),
    event(first, 620, "END RequestId: \(id(11))\n"),
    event(
      first, 620,
      report(11, "Duration: 119.20 ms\tBilled Duration: 583 ms\t\(memory)\tInit Duration: 463.51 ms", trace: true)),
    event(first, 1_000, "START RequestId: \(id(12)) Version: $LATEST\n"),
    event(first, 1_010, "{\"level\":\"INFO\",\"message\":\"charged\",\"amount\":12.5}\n"),
    event(first, 1_050, "END RequestId: \(id(12))\n"),
    event(first, 1_050, report(12, "Duration: 49.50 ms\tBilled Duration: 50 ms\t\(memory)")),
    event(first, 2_000, "START RequestId: \(id(13)) Version: $LATEST\n"),
    event(
      first, 2_005,
      "[ERROR] ValueError: no card\nTraceback (most recent call last):\n\u{A0}\u{A0}File \"/var/task/app.py\", line 3, in handler\n"
    ),
    event(first, 2_010, "END RequestId: \(id(13))\n"),
    event(first, 2_010, report(13, "Duration: 9.80 ms\tBilled Duration: 10 ms\t\(memory)")),
    event(first, 3_000, "START RequestId: \(id(14)) Version: $LATEST\n"),
    event(first, 6_001, report(14, "Duration: 3000.00 ms\tBilled Duration: 3000 ms\t\(memory)\tStatus: timeout")),
    event(first, 10_000, "START RequestId: \(id(15)) Version: $LATEST\n"),
    event(first, 13_001, "END RequestId: \(id(15))\n"),
    event(first, 13_001, report(15, "Duration: 3000.00 ms\tBilled Duration: 3000 ms\t\(memory)")),
    event(first, 13_001, "2026-11-24T10:00:13.001Z \(id(15)) Task timed out after 3.00 seconds\n\n"),
    event(first, 20_000, "START RequestId: \(id(16)) Version: $LATEST\n"),
    event(
      first, 20_101,
      report(
        16,
        "Duration: 100.00 ms\tBilled Duration: 100 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory"
      )),
  ]

  private static let secondEvents: [Event] = [
    event(
      second, 30_000,
      "INIT_START Runtime Version: python:3.13.v30\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:00\n"),
    event(second, 40_010, "INIT_REPORT Init Duration: 10009.87 ms\tPhase: init\tStatus: timeout\t\n"),
    event(second, 40_100, "START RequestId: \(id(21)) Version: $LATEST\n"),
    event(
      second, 40_190,
      "INIT_REPORT Init Duration: 87.28 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\t\n"),
    event(second, 40_200, "END RequestId: \(id(21))\n"),
    event(
      second, 40_200,
      report(21, "Duration: 99.10 ms\tBilled Duration: 100 ms\t\(memory)\tStatus: error\tError Type: Runtime.ExitError")
    ),
    event(second, 50_000, "START RequestId: \(id(22)) Version: $LATEST\n"),
    event(second, 50_301, "END RequestId: \(id(22))\n"),
    event(
      second, 50_301,
      report(22, "Duration: 300.00 ms\tBilled Duration: 300 ms\tMemory Size: 128 MB\tMax Memory Used: 129 MB")),
    event(second, 50_302, "RequestId: \(id(22)) Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n"),
    event(second, 4_000, "START RequestId: \(id(23)) Version: $LATEST\n"),
    event(second, 5_000, "END RequestId: \(id(23))\n"),
    event(second, 5_000, report(23, "Duration: 999.40 ms\tBilled Duration: 1000 ms\t\(memory)")),
  ]

  private static let restoredEvents: [Event] = [
    event(
      restored, 3_900,
      "RESTORE_START Runtime Version: java:21.v38\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:01\n"),
    event(restored, 4_411, "RESTORE_REPORT Restore Duration: 511.25 ms\n"),
    event(restored, 4_500, "START RequestId: \(id(31)) Version: 7\n"),
    event(restored, 4_800, "END RequestId: \(id(31))\n"),
    event(
      restored, 4_800,
      report(
        31,
        "Duration: 299.30 ms\tBilled Duration: 603 ms\t\(memory)\tRestore Duration: 511.25 ms\tBilled Restore Duration: 303 ms"
      )),
  ]

  // MARK: Times

  static func time(_ event: Event, decimals: Int, zone: String, blank: Bool = false) -> String {
    var text = RFC3339.milliseconds(nanoseconds: event.nanoseconds, offset: "")
    if decimals == 0 { text.removeLast(4) }
    if decimals == 6 { text += "000" }
    return (blank ? text.replacing("T", with: " ") : text) + zone
  }
}
