import Text
public import Lifecycle

/// The answer of `GET /api/v1/functions`: a part of the list of functions.
public struct FunctionsDocument: Sendable {
  /// The instant that all of it is of.
  public var time: Timestamp
  /// How many functions are known.
  public var total: Int
  /// How many of them were found.
  public var matching: Int
  /// How many of those come before ``functions``.
  public var offset: Int
  /// In the order that was asked for.
  public var functions: [FunctionDocument]

  /// Makes a page of a list. `matching` is at most `total`; an `offset` beyond `matching` leaves no functions.
  public init(time: Timestamp, total: Int, matching: Int, offset: Int, functions: [FunctionDocument]) {
    self.time = time
    self.total = total
    self.matching = matching
    self.offset = offset
    self.functions = functions
  }

  /// The document as JSON.
  ///
  /// - Complexity: O(functions).
  public func json() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 128 + 512 * functions.count)
    writer.beginObject()
    writer.member("time", RFC3339.text(time))
    writer.member("total", total)
    writer.member("matching", matching)
    writer.member("offset", offset)
    writer.key("functions")
    writer.beginArray()
    for function in functions { function.write(to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }
}
