public import Lifecycle

/// One invocation that stands for others, so that a reader can find the request behind a number.
public struct Exemplar: Sendable, Equatable {
  /// Which invocation it is.
  public var request: RequestID
  /// What was measured of it; never negative.
  public var value: Nanoseconds
  /// When the invocation ended.
  public var time: Timestamp

  /// Makes an exemplar of an invocation that ended at `time`.
  public init(request: RequestID, value: Nanoseconds, time: Timestamp) {
    self.request = request
    self.value = value
    self.time = time
  }
}

/// The newest invocation of a function in each classic bucket of its durations, and the newest cold start.
///
/// The newest is the one that ended last, and of several at one instant the one with the greatest request id, so that any order of
/// events gives the same. Bounded: at most 17 places of 32 bytes, each made when it is first needed.
public struct InvocationExemplars: Sendable {
  /// In the order in which they were first needed.
  private var places: [Exemplar] = []
  /// For each bucket, of which the last is `+Inf`, and then for cold starts, one more than its position in ``places``; 0 if it has none.
  private var numbers = InlineArray<17, UInt8>(repeating: 0)

  private static let bucketCount = 16

  /// No exemplars, which take no memory of their own.
  public init() {}

  /// Makes the exemplars that an aggregator would have after these invocations.
  ///
  /// - Parameter invocations: In any order.
  public init(_ invocations: [InvocationFinished]) {
    for finished in invocations { note(FinishedSample(finished)) }
  }

  /// The newest invocation in a bucket of ``ClassicBounds/invocationDurations``, by its position; the last is `+Inf`.
  public subscript(bucket: Int) -> Exemplar? { bucket < InvocationExemplars.bucketCount ? exemplar(bucket) : nil }

  /// The newest cold start, with the time that it waited.
  public var coldStart: Exemplar? { exemplar(InvocationExemplars.bucketCount) }

  private func exemplar(_ kind: Int) -> Exemplar? {
    let number = Int(numbers[kind])
    return number == 0 ? nil : places[number - 1]
  }

  /// Takes note of an invocation.
  ///
  /// - Complexity: O(1); allocates only when a bucket is seen for the first time.
  mutating func note(_ sample: FinishedSample) {
    let finished = sample.finished
    let bucket = sample.duration.cell < 0 ? 0 : Int(InvocationExemplars.bucketsByCell[sample.duration.cell])
    offer(
      Exemplar(request: finished.request, value: Nanoseconds(sample.duration.value), time: sample.end), kind: bucket)
    guard finished.isColdStart else { return }
    offer(
      Exemplar(request: finished.request, value: Nanoseconds(max(0, finished.wait.count)), time: sample.end),
      kind: InvocationExemplars.bucketCount)
  }

  /// Takes note of several invocations.
  mutating func note(_ invocations: FinishedColumns, _ rows: Range<Int>) {
    // The newest of each kind, so that each place is looked at once.
    var newest = InlineArray<17, Int32>(repeating: -1)
    for row in rows {
      let cell = Int(invocations.durationCells[row])
      let bucket = cell < 0 ? 0 : Int(InvocationExemplars.bucketsByCell[cell])
      let known = newest[bucket]
      if known < 0 || invocations.isNewer(row, than: Int(known)) { newest[bucket] = Int32(truncatingIfNeeded: row) }
      guard invocations.finished[row].isColdStart else { continue }
      let coldStart = newest[InvocationExemplars.bucketCount]
      if coldStart < 0 || invocations.isNewer(row, than: Int(coldStart)) {
        newest[InvocationExemplars.bucketCount] = Int32(truncatingIfNeeded: row)
      }
    }
    for kind in newest.indices where newest[kind] >= 0 {
      let row = Int(newest[kind])
      let finished = invocations.finished[row]
      let value = kind < InvocationExemplars.bucketCount ? finished.duration : finished.wait
      offer(
        Exemplar(
          request: finished.request, value: Nanoseconds(max(0, value.count)), time: invocations.ends[row]), kind: kind)
    }
  }

  @inline(__always) private mutating func offer(_ exemplar: Exemplar, kind: Int) {
    let number = Int(numbers[kind])
    guard number > 0 else {
      // An array grows to twice its size by itself, and there is one for each of many functions.
      places.reserveCapacity(places.count + 1)
      places.append(exemplar)
      numbers[kind] = UInt8(places.count)
      return
    }
    let known = places[number - 1]
    guard exemplar.time > known.time || exemplar.time == known.time && exemplar.request > known.request else { return }
    places[number - 1] = exemplar
  }

  private static let bucketsByCell = {
    let bounds = ClassicBounds.invocationDurations
    precondition(bounds.values.count + 1 == bucketCount, "BUG: \(bucketCount) buckets for \(bounds.values)")
    return bounds.bucketsByCell
  }()
}

extension InvocationExemplars: Equatable {
  /// Whether both have the same exemplar for each bucket and for cold starts.
  public static func == (left: InvocationExemplars, right: InvocationExemplars) -> Bool {
    (0...bucketCount).allSatisfy { left.exemplar($0) == right.exemplar($0) }
  }
}
