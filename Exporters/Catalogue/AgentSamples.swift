/// The samples of a metric that there is once, of the agent or its host: each has a value, and a text for each label of
/// the metric. Filling it again allocates nothing once it has grown.
public struct AgentSamples: Sendable {
  /// The most labels of a metric.
  public static let labelsMax = 3
  /// The most samples of a metric. Their labels come from closed lists, so that there cannot be more.
  public static let countMax = 4_096

  /// The samples, in the order in which they are shown.
  public private(set) var values: [MetricValue] = []
  private var texts: [String] = []

  /// No samples.
  public init() {}

  /// How many there are.
  public var count: Int { values.count }

  /// The value of a label of a sample, by their positions.
  public func text(_ label: Int, of sample: Int) -> String { texts[sample * AgentSamples.labelsMax + label] }

  /// Forgets all, but keeps the memory.
  public mutating func removeAll() {
    values.removeAll(keepingCapacity: true)
    texts.removeAll(keepingCapacity: true)
  }

  /// Adds a sample with the values of the metric's labels, as many as it has.
  mutating func add(_ value: MetricValue, _ first: String = "", _ second: String = "", _ third: String = "") {
    precondition(values.count < AgentSamples.countMax, "BUG: more than \(AgentSamples.countMax) samples of a metric")
    values.append(value)
    texts.append(first)
    texts.append(second)
    texts.append(third)
  }
}
