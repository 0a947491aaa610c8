/// Instants in the forms of HTTP and of AWS, in UTC. What is parsed and exchanged has the form of ``RFC3339``.
package enum CalendarText {
  /// As in the `Date` field of HTTP (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
  ///
  /// - Parameter seconds: Since the Unix epoch.
  package static func http(seconds: Int64) -> String {
    let fields = CalendarFields(seconds: seconds)
    var bytes: [UInt8] = []
    bytes.append(fields.weekdayName)
    bytes.append(", ")
    DecimalText.append(digitsOf: UInt64(fields.day), atLeast: 2, to: &bytes)
    bytes.append(" ")
    bytes.append(fields.monthName)
    bytes.append(" ")
    DecimalText.append(digitsOf: UInt64(max(0, fields.year)), atLeast: 4, to: &bytes)
    bytes.append(" ")
    fields.appendTime(separator: .colon, to: &bytes)
    bytes.append(" GMT")
    return String(decoding: bytes, as: UTF8.self)
  }

  /// As signatures of AWS write it, the basic format of ISO 8601: `20150830T123600Z`.
  ///
  /// - Parameter nanoseconds: Since the Unix epoch.
  package static func basic(nanoseconds: Int64) -> String {
    let fields = CalendarFields(nanoseconds: nanoseconds)
    var bytes: [UInt8] = []
    fields.appendDate(separator: nil, to: &bytes)
    bytes.append(UInt8(ascii: "T"))
    fields.appendTime(separator: nil, to: &bytes)
    bytes.append(UInt8(ascii: "Z"))
    return String(decoding: bytes, as: UTF8.self)
  }

  /// As in the `time` of a function URL's event, the common log format: `23/Nov/2026:10:00:00 +0000`.
  ///
  /// - Parameter nanoseconds: Since the Unix epoch.
  package static func request(nanoseconds: Int64) -> String {
    let fields = CalendarFields(nanoseconds: nanoseconds)
    var bytes: [UInt8] = []
    DecimalText.append(digitsOf: UInt64(fields.day), atLeast: 2, to: &bytes)
    bytes.append("/")
    bytes.append(fields.monthName)
    bytes.append("/")
    DecimalText.append(digitsOf: UInt64(max(0, fields.year)), atLeast: 4, to: &bytes)
    bytes.append(.colon)
    fields.appendTime(separator: .colon, to: &bytes)
    bytes.append(" +0000")
    return String(decoding: bytes, as: UTF8.self)
  }

  /// As in the name of a log stream: `2026/11/23`.
  ///
  /// - Parameter nanoseconds: Since the Unix epoch.
  package static func logStreamDate(nanoseconds: Int64) -> String {
    var bytes: [UInt8] = []
    CalendarFields(nanoseconds: nanoseconds).appendDate(separator: UInt8(ascii: "/"), to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension [UInt8] {
  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { unsafe append(contentsOf: $0) }
  }
}
