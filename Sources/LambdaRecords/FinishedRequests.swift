import Lifecycle

/// The requests whose lives were handed on, with their times: what is told of them again is known, and what lies elsewhere is another
/// attempt's.
///
/// Two generations: with a limit, at least the last `limit` requests are known, at most twice as many. 24 bytes for each, and what a
/// dictionary keeps free.
struct FinishedRequests: Sendable {
  /// Whole seconds, rounded outwards.
  private struct Interval {
    private let start: UInt32
    private let length: UInt32

    /// All of time, for a life whose lines have none.
    static let all = Interval(start: 0, length: .max)
    /// No time at all.
    static let none = Interval(start: .max, length: 0)

    private init(start: UInt32, length: UInt32) {
      self.start = start
      self.length = length
    }

    init(_ start: Timestamp, _ end: Timestamp) {
      let first = max(0, start.nanoseconds / 1_000_000_000)
      let last = max(first, end.nanoseconds / 1_000_000_000 + 1)
      self.init(start: UInt32(clamping: first), length: UInt32(clamping: last - first))
    }

    func isNear(_ time: Timestamp) -> Bool {
      let gap = LifeReconstruction.attemptGap.count / 1_000_000_000
      let second = time.nanoseconds / 1_000_000_000
      if length == .max { return true }
      return start < .max && second >= Int64(start) - gap && second <= Int64(start) + Int64(length) + gap
    }

    func hasBegun(near time: Timestamp?) -> Bool {
      guard let time, length < .max else { return start < .max }
      let apart = (time.nanoseconds / 1_000_000_000 - Int64(start)).magnitude
      return start < .max && apart <= LifeReconstruction.invocationMax.count.magnitude / 1_000_000_000
    }
  }

  private var current: [RequestID: Interval] = [:]
  private var previous: [RequestID: Interval] = [:]
  private let limit: Int

  /// - Parameter limit: At least 1.
  init(limit: Int = .max) { self.limit = limit }

  /// Notes a request.
  ///
  /// - Parameter times: `nil` if its lines have none.
  mutating func insert(_ request: RequestID, _ times: (start: Timestamp, end: Timestamp)?) {
    current[request] = times.map { Interval($0.start, $0.end) } ?? .all
    if current.count >= limit { (previous, current) = (current, [:]) }
  }

  /// Notes an identity that stands for no attempt any more: no line is of it.
  mutating func insertEmpty(_ request: RequestID) { current[request] = Interval.none }

  /// Has a request be unknown.
  mutating func remove(_ request: RequestID) {
    current[request] = nil
    previous[request] = nil
  }

  func contains(_ request: RequestID) -> Bool { interval(of: request) != nil }

  /// Whether a line of a request belongs to the life that was handed on; `nil` if none was.
  ///
  /// - Parameter time: Of the line; one without a time is taken for a repetition.
  func isOf(_ request: RequestID, at time: Timestamp?) -> Bool? {
    interval(of: request).map { interval in time.map(interval.isNear) ?? true }
  }

  /// Whether a life that was handed on began within the longest invocation of a time, or its lines have none.
  func hasBegun(_ request: RequestID, near time: Timestamp?) -> Bool {
    interval(of: request)?.hasBegun(near: time) ?? false
  }

  /// The same of a life within these times; `nil` if its lines have none.
  static func hasBegun(_ times: (start: Timestamp, end: Timestamp)?, near time: Timestamp?) -> Bool {
    (times.map { Interval($0.start, $0.end) } ?? .all).hasBegun(near: time)
  }

  private func interval(of request: RequestID) -> Interval? {
    current[request] ?? (previous.isEmpty ? nil : previous[request])
  }
}
