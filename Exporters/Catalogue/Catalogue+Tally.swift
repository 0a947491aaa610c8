import Windows

extension Catalogue {
  /// Counts of a function since Kelvin first saw it.
  static let counters: [MetricFamily] =
    TallyNumber.stored.compactMap { MetricFamily($0) }.filter { $0.kind == .counter } + [
      .secondsCounter(
        "lambda_concurrency_seconds_total",
        help: "The integral of concurrency over time; its rate is the mean number of executions in progress.",
        { $0[$1].concurrencyNanoseconds })
    ]

  /// Distributions of a function since Kelvin first saw it. Their buckets count exactly.
  static let histograms: [MetricFamily] = TallyNumber.stored.compactMap {
    MetricFamily($0)
  }.filter { $0.kind == .histogram }
}

extension MetricFamily {
  /// The total of a number of a tally; `nil` if it is not exposed.
  init?(_ number: TallyNumber) {
    guard let metric = number.metric else { return nil }
    let isShown = metric.isShown
    switch number.content {
    case .count(_, let read):
      self.init(
        metric, .counter, unit: .none,
        source: .function { functions, position, samples in
          if isShown?(functions, position) ?? true { samples.add(.unsigned(read(functions, position))) }
        })
    case .words(let names, _, let read):
      let count = names.count
      self.init(
        metric, .counter, unit: .none, labelValues: names,
        source: .function { functions, position, samples in
          guard isShown?(functions, position) ?? true else { return }
          let counts = read(functions, position)
          for word in 0..<count { samples.add(.unsigned(counts[word]), labelValue: word) }
        })
    case .time(_, let read):
      self.init(
        metric, .counter, unit: .seconds,
        source: .function { functions, position, samples in samples.add(.billionths(read(functions, position))) })
    case .distribution(let measure, _, let read):
      guard let bounds = metric.bounds else { preconditionFailure("BUG: \(metric.name) has no bounds") }
      self.init(
        metric, .histogram, unit: measure == .duration ? .seconds : .bytes,
        source: .distribution(bounds, read))
    }
  }

  private init(
    _ metric: TallyNumber.Metric, _ kind: Kind, unit: Unit, labelValues: [String] = [], source: Source
  ) {
    self.init(
      metric.name, kind, unit: unit, help: metric.help, cloudWatch: metric.cloudWatch,
      openTelemetry: metric.openTelemetry, labels: metric.label.map { [MetricLabel($0, labelValues)] } ?? [],
      source: source,
      exemplar: metric.exemplar)
  }
}
