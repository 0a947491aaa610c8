public import Lifecycle
public import Windows

/// One metric: its name, its meaning, and how its values are read from a snapshot.
public struct MetricFamily: Sendable {
  /// What Prometheus may do with a metric. The raw value is the word of `# TYPE`.
  public enum Kind: String, Sendable {
    /// Only goes up, but for a restart of what it counts; its name ends in `_total`.
    case counter
    /// A value at one instant.
    case gauge
    /// A distribution since Kelvin first saw the function.
    case histogram
  }

  /// The unit of values. The raw value is the word of OpenMetrics' `# UNIT`.
  public enum Unit: String, Sendable {
    /// Written as a number of seconds with up to nine decimals.
    case seconds
    /// Written as a whole number.
    case bytes
    /// From 0 to 1.
    case ratio
    /// Things that are counted, or an information that is always 1.
    case none
  }

  /// How a value of one function is read: `{ $0[$1].totals.errors }`.
  ///
  /// The functions come as a span with a position, so that only the value is loaded. A function passed as an argument
  /// would be copied, with a reference counted up and down for each of its arrays.
  public typealias Reading<Value> = @Sendable (_ functions: Span<FunctionSnapshot>, _ position: Int) -> Value

  /// What a metric has one set of samples for, and how they are read.
  public enum Source: Sendable {
    /// For each function; samples have its labels before their own.
    case function(@Sendable (_ functions: Span<FunctionSnapshot>, _ position: Int, inout SampleBuffer) -> Void)
    /// For each function, as a histogram at exactly these bounds.
    case distribution(ClassicBounds, Reading<Distribution>)
    /// For each event source of a trigger that has a value at the time of the snapshot; samples have one label, its name.
    case eventSource(Trigger, @Sendable (EventSourceSnapshot, Timestamp) -> MetricValue?)
    /// For each event source of a trigger, as a histogram at exactly these bounds.
    case eventSourceDistribution(Trigger, ClassicBounds, @Sendable (EventSourceSnapshot) -> Distribution)
    /// Once.
    case agent(@Sendable (Snapshot, AgentStatistics, inout AgentSamples) -> Void)
  }

  /// How the exemplar of a sample of one function is read; of a histogram's buckets the last is `+Inf`.
  public typealias ExemplarReading =
    @Sendable (_ functions: Span<FunctionSnapshot>, _ position: Int, _ sample: Int) ->
    Exemplar?

  /// Stands in ``help`` for the length of a window.
  public static let windowPlaceholder = "{window}"

  /// The full name, unit and `_total` included.
  public let name: String
  /// Whether it counts, shows or distributes.
  public let kind: Kind
  /// The unit of its values; the name has the unit, too.
  public let unit: Unit
  /// What it means, in one line.
  public let help: String
  /// CloudWatch's name for the same metric, if it has one.
  public let cloudWatch: String?
  /// The closest metric of OpenTelemetry's conventions for functions as a service, if they have one.
  public let openTelemetry: String?
  /// The labels of its own, beside those of the function: of a function's metric at most one, whose values samples name
  /// by position; else at most ``AgentSamples/labelsMax``, of which each sample has the texts.
  public let labels: [MetricLabel]
  /// How often there is one, and how it is read.
  public let source: Source
  /// `nil` if it has none.
  public let exemplar: ExemplarReading?

  init(
    _ name: String, _ kind: Kind, unit: Unit = .none, help: String, cloudWatch: String? = nil,
    openTelemetry: String? = nil, labels: [MetricLabel] = [], source: Source, exemplar: ExemplarReading? = nil
  ) {
    if case .agent = source {
      precondition(labels.count <= AgentSamples.labelsMax, "BUG: \(name) has \(labels.count) labels")
    } else {
      precondition(
        labels.count <= 1 && labels.allSatisfy { (1...SampleBuffer.capacity).contains($0.values.count) },
        "BUG: \(name) has more labels, or values of them, than a buffer has room for")
    }
    self.name = name
    self.kind = kind
    self.unit = unit
    self.help = help
    self.cloudWatch = cloudWatch
    self.openTelemetry = openTelemetry
    self.labels = labels
    self.source = source
    self.exemplar = exemplar
  }

  /// The names of all its labels: the function's first.
  public var labelNames: [String] {
    switch source {
    case .agent: labels.map(\.name)
    case .function, .distribution: ["function", "version"] + labels.map(\.name)
    case .eventSource(let trigger, _), .eventSourceDistribution(let trigger, _, _): [trigger.sourceLabel]
    }
  }
}

/// Short forms for what most metrics are.
extension MetricFamily {
  /// A counter of seconds of a function.
  static func secondsCounter(
    _ name: String, help: String, _ nanoseconds: @escaping Reading<Int128>
  ) -> MetricFamily {
    MetricFamily(
      name, .counter, unit: .seconds, help: help,
      source: .function { functions, position, samples in samples.add(.billionths(nanoseconds(functions, position))) })
  }

  /// A gauge of a function that is absent where there is no value, and of a function that is gone.
  static func gauge(
    _ name: String, unit: Unit = .none, help: String, cloudWatch: String? = nil, openTelemetry: String? = nil,
    _ read: @escaping Reading<MetricValue?>
  ) -> MetricFamily {
    MetricFamily(
      name, .gauge, unit: unit, help: help, cloudWatch: cloudWatch, openTelemetry: openTelemetry,
      source: .function { functions, position, samples in
        if !functions[position].isGone, let value = read(functions, position) { samples.add(value) }
      })
  }

  /// A counter or gauge that there is once; absent where there is no value.
  static func single(
    _ name: String, _ kind: Kind, unit: Unit = .none, help: String, cloudWatch: String? = nil,
    _ read: @escaping @Sendable (Snapshot, AgentStatistics) -> MetricValue?
  ) -> MetricFamily {
    MetricFamily(
      name, kind, unit: unit, help: help, cloudWatch: cloudWatch,
      source: .agent { snapshot, statistics, samples in
        if let value = read(snapshot, statistics) { samples.add(value) }
      })
  }

  /// A counter or gauge of the agent, or of what runs beside it, that there is for values of labels.
  static func labelled(
    _ name: String, _ kind: Kind, unit: Unit = .none, help: String, labels: [MetricLabel],
    _ read: @escaping @Sendable (Snapshot, AgentStatistics, inout AgentSamples) -> Void
  ) -> MetricFamily {
    MetricFamily(name, kind, unit: unit, help: help, labels: labels, source: .agent(read))
  }
}
