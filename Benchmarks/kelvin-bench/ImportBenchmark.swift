import Lifecycle
import LogImport
import Text

extension Benchmark {
  /// What it costs to read logs: one in which functions write much, one of reports alone, and one of JSON.
  static let logs = Benchmark(name: "import") {
    [
      figure(
        "aws logs tail, six lines of the function's own for each invocation", LogText.tail(lines: 6),
        target: .atLeast(150)),
      figure("aws logs tail, no lines of the function's own", LogText.tail(lines: 0), target: .none),
      figure("filter-log-events as JSON", LogText.events(), target: .none),
    ]
  }

  private static func figure(_ name: String, _ text: [UInt8], target: Figure.Target) -> Figure {
    var invocations: UInt64 = 0
    let cost = Cost.least(ofRuns: 3) {
      let importer = LogImporter()
      importer.begin("log", function: "orders")
      var position = 0
      while position < text.count {
        let end = min(position + 1 << 20, text.count)
        importer.append(text.span.extracting(position..<end))
        position = end
      }
      _ = importer.endFile()
      invocations = importer.finish().counts.invocations
    }
    precondition(invocations == LogText.invocations, "BUG: \(invocations) invocations were read")
    return Figure(name: name, value: Double(text.count) * 1e3 / cost.nanoseconds, unit: "MB/s", target: target)
  }
}

/// Logs of many instances at once.
private enum LogText {
  static let invocations: UInt64 = 40_000
  private static let begin: Int64 = 1_795_514_400_000

  private static func stream(_ number: Int) -> String {
    "2026/11/24/[$LATEST]" + Identifier128(high: 7, low: UInt64(number % 50)).hexadecimalText
  }

  private static func time(_ milliseconds: Int) -> String {
    RFC3339.milliseconds(nanoseconds: (begin + Int64(milliseconds)) * 1_000_000, offset: "000+00:00")
  }

  private static func messages(_ number: Int, lines: Int) -> [String] {
    let id = Identifier128(high: UInt64(number) &* 0x9E37_79B9_7F4A_7C15, low: UInt64(number)).uuidText
    let own =
      "[INFO]\t2026-11-24T10:00:00.000Z\t\(id)\tcharged card of customer \(number), and wrote about it at some length"
    return ["START RequestId: \(id) Version: $LATEST"] + Array(repeating: own, count: lines) + [
      "END RequestId: \(id)",
      "REPORT RequestId: \(id)\tDuration: 18.30 ms\tBilled Duration: 19 ms\tMemory Size: 128 MB\tMax Memory Used: 90 MB\t",
    ]
  }

  static func tail(lines: Int) -> [UInt8] {
    var text: [UInt8] = []
    for number in 0..<Int(invocations) {
      for (index, message) in messages(number, lines: lines).enumerated() {
        text += Array("\(time(number * 4 + index * 19)) \(stream(number)) \(message)\n".utf8)
      }
    }
    return text
  }

  static func events() -> [UInt8] {
    var text = Array("{\"events\": [".utf8)
    for number in 0..<Int(invocations) {
      for (index, message) in messages(number, lines: 6).enumerated() {
        var writer = JSONWriter()
        writer.object { event in
          event.member("logStreamName", stream(number))
          event.member("timestamp", begin + Int64(number * 4 + index * 19))
          event.member("message", message + "\n")
          event.member("eventId", "37957510267006724342200454931664427310462681533819518976")
        }
        text += writer.bytes
        text.append(UInt8(ascii: ","))
      }
    }
    text.removeLast()
    return text + Array("]}".utf8)
  }
}
