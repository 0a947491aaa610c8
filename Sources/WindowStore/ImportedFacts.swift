package import Lifecycle
internal import Windows

/// A log stream of which facts were imported.
package struct ImportedStream: Hashable, Sendable {
  /// Its name; `nil` for the lines of a function of which no stream is known.
  package var name: String?
  /// The function that its lines are of; `nil` if nothing says it.
  package var function: String?
  /// The time of its last line, whatever the line says; `nil` if no line has one.
  package var lastSeen: Timestamp?

  /// Makes a stream of its parts.
  package init(name: String?, function: String?, lastSeen: Timestamp?) {
    self.name = name
    self.function = function
    self.lastSeen = lastSeen
  }
}

/// What a line of a log says, in bytes that only the reader of facts understands.
package struct ImportedFact: Hashable, Sendable {
  /// The position of its stream in a list.
  package var stream: Int
  /// When it was.
  package var time: Timestamp
  /// What it says. Facts of one instant are in the order of their bytes.
  package var bytes: [UInt8]
  /// Whether it bears on what comes later in its stream.
  package var isOfInstance: Bool

  /// Makes a fact of its parts.
  package init(stream: Int, time: Timestamp, bytes: [UInt8], isOfInstance: Bool) {
    self.stream = stream
    self.time = time
    self.bytes = bytes
    self.isOfInstance = isOfInstance
  }
}

/// What became of facts.
package struct ImportedCounts: Equatable, Sendable {
  /// Facts that were not known.
  package var new: UInt64 = 0
  /// Facts that had been imported before.
  package var known: UInt64 = 0
  /// Facts of a time of which no windows are kept any more.
  package var tooOld: UInt64 = 0
  /// Facts of more than a day after the clock.
  package var inFuture: UInt64 = 0

  /// Nothing was imported.
  package init() {}
}

/// A span of time whose windows are computed together, of all facts in it and around it.
///
/// What is computed for a span depends on the facts from `margin` before it to `margin` behind it, on those about instances before
/// that, and on nothing else. So a set of facts has the same windows in whatever order it came.
package struct ImportSpan: Hashable, Sendable {
  /// How far outside of a span what bears on it may lie: twice the longest that an invocation takes, and a little.
  package static let margin = Nanoseconds.seconds(32 * 60)

  /// Its first instant: a multiple of its length.
  package var start: Timestamp
  /// A multiple of the lengths of all tiers.
  package var length: Nanoseconds
  /// Tells whether facts came since it was read.
  var generation: Int64

  /// Not part of it.
  package var end: Timestamp { start + length }

  /// The length of spans in a store with windows of this length.
  static func length(window: Nanoseconds) -> Nanoseconds { Resolution.rounded(.seconds(3_600), to: window) }
}

/// How many windows of one function were left to live events.
package struct HeldWindows: Equatable, Sendable {
  /// The function.
  package var function: FunctionID
  /// How many of its windows imports did not change.
  package var windows: Int

  /// Makes a count.
  package init(function: FunctionID, windows: Int) {
    self.function = function
    self.windows = windows
  }
}
