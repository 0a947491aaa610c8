import Text
public import Lifecycle
public import Windows

/// One member of a window, as a column over time. The raw value is the column's name in a query and in the document;
/// docs/formats/api.md says what each is.
public enum SeriesColumn: String, CaseIterable, Sendable {
  case concurrencyMax, provisionedConcurrencyMax, instancesMax, overlappingMax
  /// Only of the account.
  case unreservedConcurrencyMax, claimedConcurrencyMax
  case concurrencySeconds
  case invocations, errors, throttles, timeouts, crashes, outOfMemory, coldStarts, initializations, spillover
  /// A column for each reason that was counted.
  case throttlesByReason
  /// A column for each source that was counted.
  case timeoutsBySource
  case durationAverage, durationP50, durationP95, durationMax, initializationMax, warmupMax, memoryUsedMax

  /// Whether the account has it of its own, of the merged stream of all functions.
  public var isOfMergedStream: Bool {
    switch self {
    case .concurrencyMax, .instancesMax, .overlappingMax, .unreservedConcurrencyMax, .claimedConcurrencyMax,
      .concurrencySeconds:
      true
    default: false
    }
  }

  /// Whether the account has it as the sum, or the distribution, over all functions.
  public var isSummed: Bool {
    !isOfMergedStream && self != .provisionedConcurrencyMax
  }

  /// Whether a function has it.
  public var isOfFunctions: Bool { self != .unreservedConcurrencyMax && self != .claimedConcurrencyMax }
}

/// The answer of `GET /api/v1/series`: windows of several functions on one grid of time, in columns, oldest first.
public struct SeriesDocument: Sendable {
  /// The columns of one function, or of the account.
  public struct Series: Sendable {
    /// The function, or the account. A series of the account has no member `function`.
    public var scope: Scope
    /// In the order in which they are written.
    public var columns: [SeriesColumn]
    /// By the start of the window; those in which nothing happened are absent.
    public var windows: [Timestamp: WindowDocument]

    /// Converts the windows of one function, or of the account; of several with one start, the last counts.
    ///
    /// - Parameter rollups: Windows of the grid.
    public init(scope: Scope, columns: [SeriesColumn], rollups: some Sequence<WindowRollup>) {
      self.scope = scope
      self.columns = columns
      windows = Dictionary(rollups.map { ($0.start, WindowDocument($0)) }, uniquingKeysWith: { $1 })
    }
  }

  /// The length of every window.
  public var resolution: Nanoseconds
  /// The start of the first window.
  public var from: Timestamp
  /// Not part of the range.
  public var to: Timestamp
  /// Windows that end at or before it are closed.
  public var closedBefore: Timestamp
  /// In the order in which they were asked for.
  public var series: [Series]

  /// Makes a document of series on one grid.
  ///
  /// - Precondition: `resolution` is above zero, and `from` is not after `to`. A rest of their distance that is no whole
  ///   window is left out.
  public init(
    resolution: Nanoseconds, from: Timestamp, to: Timestamp, closedBefore: Timestamp, series: [Series]
  ) {
    precondition(resolution > .zero && from <= to, "BUG: a grid from \(from) to \(to) of \(resolution)")
    self.resolution = resolution
    self.from = from
    self.to = to
    self.closedBefore = closedBefore
    self.series = series
  }

  /// The starts of all windows, oldest first.
  private var starts: [Timestamp] {
    (0..<((to - from).count / resolution.count)).map { from + Nanoseconds($0 * resolution.count) }
  }

  /// The document as JSON: a value for every window and column, of idle windows too.
  ///
  /// - Complexity: O(series x columns x windows).
  public func json() -> [UInt8] {
    let starts = starts
    let closed = starts.count { $0 + resolution <= closedBefore }
    var writer = JSONWriter.document(capacity: 256 + series.reduce(0) { $0 + 64 + 4 * $1.columns.count * starts.count })
    writer.beginObject()
    writer.member("resolution", nanoseconds: Int128(resolution.count))
    writer.member("from", RFC3339.text(from))
    writer.member("to", RFC3339.text(to))
    writer.member("windows", starts.count)
    writer.member("closed", closed)
    writer.key("series")
    writer.beginArray()
    for one in series { one.write(to: &writer, starts) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }
}

extension SeriesDocument.Series {
  fileprivate func write(to writer: inout JSONWriter, _ starts: [Timestamp]) {
    writer.beginObject()
    if case .function(let function) = scope {
      writer.member("function", function.name)
      if function.version != FunctionID.latest { writer.member("version", function.version) }
    }
    writer.key("columns")
    writer.beginObject()
    for column in columns {
      switch column {
      case .throttlesByReason: writeParts(column, .throttles, to: &writer, starts)
      case .timeoutsBySource: writeParts(column, .timeouts, to: &writer, starts)
      default: writeColumn(column, to: &writer, starts)
      }
    }
    writer.endObject()
    writer.endObject()
  }

  private func writeColumn(_ column: SeriesColumn, to writer: inout JSONWriter, _ starts: [Timestamp]) {
    writer.key(column.rawValue)
    writer.beginArray()
    for start in starts {
      guard let window = windows[start] else {
        if column.isOfDistribution { writer.null() } else { writer.integer(0) }
        continue
      }
      window.write(column, to: &writer)
    }
    writer.endArray()
  }

  private func writeParts(
    _ column: SeriesColumn, _ field: TallyNumber.Field, to writer: inout JSONWriter,
    _ starts: [Timestamp]
  ) {
    let counts = windows.mapValues { Dictionary($0[parts: field].map { ($0.name, $0.count) }, uniquingKeysWith: &+) }
    writer.key(column.rawValue)
    writer.beginObject()
    for name in Set(counts.values.flatMap(\.keys)).sorted() {
      writer.key(name)
      writer.beginArray()
      for start in starts { writer.integer(counts[start]?[name] ?? 0) }
      writer.endArray()
    }
    writer.endObject()
  }
}

extension SeriesColumn {
  /// Whether a window without a value has none, in place of 0.
  fileprivate var isOfDistribution: Bool {
    switch self {
    case .durationAverage, .durationP50, .durationP95, .durationMax, .initializationMax, .warmupMax, .memoryUsedMax:
      true
    default: false
    }
  }
}

extension WindowDocument {
  fileprivate func write(_ column: SeriesColumn, to writer: inout JSONWriter) {
    if let count = count(column) { return writer.integer(count) }
    switch column {
    case .concurrencySeconds: writer.seconds(nanoseconds: concurrencyNanoseconds)
    case .durationAverage: duration.write(duration.mean, to: &writer)
    case .durationP50: duration.write(duration.p50, to: &writer)
    case .durationP95: duration.write(duration.p95, to: &writer)
    case .durationMax: duration.write(duration.maximum, to: &writer)
    case .initializationMax: initialization.write(initialization.maximum, to: &writer)
    case .warmupMax: warmUp.write(warmUp.maximum, to: &writer)
    case .memoryUsedMax: memoryUsed.write(memoryUsed.maximum, to: &writer)
    default: preconditionFailure("BUG: no value of column \(column)")
    }
  }

  private func count(_ column: SeriesColumn) -> Int128? {
    switch column {
    case .concurrencyMax: Int128(concurrencyMax)
    case .provisionedConcurrencyMax: Int128(provisionedConcurrencyMax)
    case .instancesMax: Int128(instancesMax)
    case .overlappingMax: Int128(overlappingMax)
    case .unreservedConcurrencyMax: Int128(unreservedConcurrencyMax ?? 0)
    case .claimedConcurrencyMax: Int128(claimedConcurrencyMax ?? 0)
    case .invocations: Int128(invocations)
    case .errors: Int128(errors)
    case .throttles: Int128(throttles)
    case .timeouts: Int128(timeouts)
    case .crashes: Int128(crashes)
    case .outOfMemory: Int128(outOfMemory)
    case .coldStarts: Int128(coldStarts)
    case .initializations: Int128(self[count: .initializations])
    case .spillover: Int128(spillover)
    default: nil
    }
  }
}

extension DistributionDocument {
  /// One of its values in the unit of documents; `null` while there is none.
  fileprivate func write(_ value: Int64?, to writer: inout JSONWriter) {
    guard count > 0, let value else { return writer.null() }
    if measure == .duration { writer.seconds(nanoseconds: Int128(value)) } else { writer.integer(value) }
  }
}
