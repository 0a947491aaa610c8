import Lifecycle

/// A number of a ``Tally``, with all that is said about it anywhere.
///
/// The rows stand in ``all``. What merges, stores, exposes and shows tallies walks over them, so that a number is added by a property
/// of ``Tally`` or of its instances and a row.
package struct TallyNumber: Sendable {
  /// Which number it is. Raw values are bits of the mask of a stored tally: they are never given to another number.
  package enum Field: UInt8, CaseIterable, Sendable {
    case invocations, errors, timeouts, crashes, outOfMemory, throttles, coldStarts, initializations
    case initializationFailures, warmUpFailures, provisionedInvocations, spilloverInvocations, instanceStops, billed
    case duration, initialization, warmUp, memoryUsed, instanceLifetime
    case httpResponses, httpGatewayTimeouts, httpThrottles, httpDuration
  }

  /// How it is kept, and with that how it merges: all of it adds up, distributions cell by cell.
  package enum Content: Sendable {
    case count(Access<UInt64>, Reading<UInt64>)
    /// A count for each word of a closed set, by raw value; `names` are those of the words.
    case words(names: [String], Access<WordSlots>, Reading<WordSlots>)
    /// In nanoseconds.
    case time(Access<Int128>, Reading<Int128>)
    case distribution(Measure, Access<Distribution>, Reading<Distribution>)
  }

  /// The counts of ``WordCounts``, whatever its words.
  package typealias WordSlots = InlineArray<6, UInt64>

  /// Where a tally has the number.
  package struct Access<Value: Sendable>: Sendable {
    /// The number of a tally.
    package let read: @Sendable (Tally) -> Value
    /// Lends the number of a tally to be changed.
    package let change: @Sendable (inout Tally, (inout Value) -> Void) -> Void
  }

  /// Reads the number of a function's totals.
  ///
  /// The functions come as a span with a position, so that only the value is loaded: a tally passed on from there would be copied,
  /// with a reference counted up and down for each of its arrays.
  package typealias Reading<Value> = @Sendable (_ functions: Span<FunctionSnapshot>, _ position: Int) -> Value

  /// How it is exposed, always as a total since Kelvin first saw the function.
  package struct Metric: Sendable {
    /// The name of the metric family, such as `lambda_errors_total`.
    package let name: String
    /// Of the label that tells words apart.
    package let label: String?
    /// What it means, in one line.
    package let help: String
    /// What CloudWatch calls the nearest that it has; `nil` if it has nothing like it.
    package let cloudWatch: String?
    /// What OpenTelemetry's conventions for functions as a service call the nearest; `nil` if they have nothing like it.
    package let openTelemetry: String?
    /// The upper bounds of a distribution's classic buckets.
    package let bounds: ClassicBounds?
    /// `nil` if it has no exemplars.
    package let exemplar: ExemplarReading?
    /// Of which functions it is exposed; `nil`: of all, from the first moment.
    package let isShown: Reading<Bool>?
  }

  /// How the exemplar of a sample of one function is read; of a histogram's buckets the last is `+Inf`.
  package typealias ExemplarReading =
    @Sendable (_ functions: Span<FunctionSnapshot>, _ position: Int, _ sample: Int) -> Exemplar?

  /// A column of the table of windows, and of its CSV.
  package struct Column: Sendable {
    /// What of the number it shows.
    package enum Value: Sendable {
      /// A count, that of all words, or that of a distribution's values.
      case count
      case mean, p95, maximum
    }

    /// Columns stand in ascending order of it; from ``firstWidePlace`` on only where they are asked for.
    package let place: Int
    /// What of the number it shows.
    package let value: Value
    /// Above the column, where there is room.
    package let title: String
    /// Above the column of a narrow table.
    package let shortTitle: String
    /// The title where no other column stands before it.
    package let name: String
    /// The name in CSV, with its unit.
    package let field: String

    /// Where the columns of a wide table begin.
    package static let firstWidePlace = 100

    /// - Parameter name: `nil` if the title says enough by itself.
    init(
      _ place: Int, _ value: Value, _ title: String, short: String, name: String? = nil, field: String
    ) {
      self.place = place
      self.value = value
      self.title = title
      self.shortTitle = short
      self.name = name ?? title
      self.field = field
    }
  }

  /// Which number it is.
  package let field: Field
  /// What it is, and where a tally has it.
  package let content: Content
  /// The member of a window's document.
  package let member: String
  /// The member with the counts of the words; only where there are words.
  package let partsMember: String?
  /// The metric of the totals; `nil` if there is none.
  package let metric: Metric?
  /// The columns of the table of windows; empty if it is not shown there.
  package let columns: [Column]

  init(
    _ field: Field, _ content: Content, member: String, parts: String? = nil, columns: [Column] = [],
    metric: String?, by label: String? = nil, help: String = "", cloudWatch: String? = nil,
    openTelemetry: String? = nil,
    bounds: ClassicBounds? = nil, exemplar: ExemplarReading? = nil, isShown: Reading<Bool>? = nil
  ) {
    self.field = field
    self.content = content
    self.member = member
    partsMember = parts
    self.metric = metric.map { name in
      Metric(
        name: name, label: label, help: help, cloudWatch: cloudWatch, openTelemetry: openTelemetry, bounds: bounds,
        exemplar: exemplar, isShown: isShown)
    }
    self.columns = columns
  }

  /// Every number, in the order of a window's document.
  package static let all: [TallyNumber] = ofInvocations + ofInstances + ofHTTP + times + distributions

  /// Every number in the order in which a tally is stored, which is also that of metrics.
  package static let stored = all.sorted { $0.field.rawValue < $1.field.rawValue }
}

extension TallyNumber.Content {
  static func count(
    _ read: @escaping @Sendable (Tally) -> UInt64,
    _ change: @escaping @Sendable (inout Tally, (inout UInt64) -> Void) -> Void,
    _ ofFunction: @escaping TallyNumber.Reading<UInt64>
  ) -> Self { .count(TallyNumber.Access(read: read, change: change), ofFunction) }

  static func words<Key: Word>(
    _: Key.Type, _ read: @escaping @Sendable (Tally) -> TallyNumber.WordSlots,
    _ change: @escaping @Sendable (inout Tally, (inout TallyNumber.WordSlots) -> Void) -> Void,
    _ ofFunction: @escaping TallyNumber.Reading<TallyNumber.WordSlots>
  ) -> Self { .words(names: Key.allCases.map(\.name), TallyNumber.Access(read: read, change: change), ofFunction) }

  static func time(
    _ read: @escaping @Sendable (Tally) -> Int128,
    _ change: @escaping @Sendable (inout Tally, (inout Int128) -> Void) -> Void,
    _ ofFunction: @escaping TallyNumber.Reading<Int128>
  ) -> Self { .time(TallyNumber.Access(read: read, change: change), ofFunction) }

  static func distribution(
    _ measure: Measure, _ read: @escaping @Sendable (Tally) -> Distribution,
    _ change: @escaping @Sendable (inout Tally, (inout Distribution) -> Void) -> Void,
    _ ofFunction: @escaping TallyNumber.Reading<Distribution>
  ) -> Self { .distribution(measure, TallyNumber.Access(read: read, change: change), ofFunction) }
}

extension TallyNumber {
  /// Adds the number of one tally to that of another. Nothing is added of what was never counted, which would take room.
  func merge(_ other: Tally, into tally: inout Tally) {
    switch content {
    case .count(let access, _):
      let count = access.read(other)
      if count != 0 { access.change(&tally) { $0 &+= count } }
    case .words(_, let access, _):
      let counts = access.read(other)
      guard counts.indices.contains(where: { counts[$0] != 0 }) else { return }
      access.change(&tally) { sums in for index in counts.indices { sums[index] &+= counts[index] } }
    case .time(let access, _):
      let time = access.read(other)
      if time != 0 { access.change(&tally) { $0 &+= time } }
    case .distribution(_, let access, _):
      let distribution = access.read(other)
      if !distribution.isEmpty { access.change(&tally) { $0.merge(distribution) } }
    }
  }

  /// Whether two tallies have the same of it.
  func isEqual(_ left: Tally, _ right: Tally) -> Bool {
    switch content {
    case .count(let access, _): return access.read(left) == access.read(right)
    case .words(_, let access, _):
      let (left, right) = (access.read(left), access.read(right))
      return left.indices.allSatisfy { left[$0] == right[$0] }
    case .time(let access, _): return access.read(left) == access.read(right)
    case .distribution(_, let access, _): return access.read(left) == access.read(right)
    }
  }
}
