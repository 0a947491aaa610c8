import Lifecycle

/// One direction of the way between a record's values and its JSON: into it, or out of it.
///
/// Each record names its members once (``PlatformRecord/members(_:)``), for both directions. A writer hands the values on; a
/// reader puts what it finds in their place, and notes where a member that must be there is not, or is of another type.
/// Members that are not named are passed over.
protocol MemberCoder {
  /// Which members there are.
  var schema: TelemetrySchema { get }

  mutating func text(_ name: String, _ value: inout String)
  mutating func text(_ name: String, _ value: inout String?)
  /// A list that is always written; without one it is empty.
  mutating func texts(_ name: String, _ value: inout [String])
  mutating func integer(_ name: String, _ value: inout Int64)
  mutating func integer(_ name: String, _ value: inout Int64?)
  /// Milliseconds with three decimals.
  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds)
  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds?)
  /// A time to the millisecond.
  mutating func time(_ name: String, _ value: inout Timestamp)
  /// The text of a UUID.
  mutating func request(_ name: String, _ value: inout RequestID)
  /// One of a closed set.
  mutating func status(_ name: String, _ value: inout PlatformEvent.Status)
  mutating func status(_ name: String, _ value: inout PlatformEvent.Status?)
  /// One of a set that grows: a word that is not known is read as `nil`.
  mutating func word<W: Word>(_ name: String, _ value: inout W?)
  /// Begins an object in the place of a member, which must be there.
  ///
  /// - Returns: Whether its members follow, and ``endObject()``.
  mutating func beginObject(_ name: String) -> Bool
  /// Begins an object that is left out if `isPresent` is false. A reader finds out by itself.
  ///
  /// - Returns: Whether its members follow, and ``endObject()``.
  mutating func beginObject(_ name: String, isPresent: Bool) -> Bool
  mutating func endObject()
  /// A record in the place of a member, left out if it is `nil`.
  mutating func record<R: PlatformRecord>(_ name: String, _ value: inout R?)
  /// A list of records, left out if it is empty.
  mutating func records<R: PlatformRecord>(_ name: String, _ value: inout [R])
}

/// What goes as a JSON object.
protocol PlatformRecord {
  /// Values that stand for nothing: a reader replaces all that must be there.
  static var blank: Self { get }
  /// Names every member, in the order in which they are written.
  mutating func members<C: MemberCoder>(_ coder: inout C)
}
