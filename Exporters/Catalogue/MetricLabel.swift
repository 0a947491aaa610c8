/// A label of a metric's own, beside those of the function.
public struct MetricLabel: Sendable, Equatable {
  /// The label's name.
  public let name: String
  /// All values that there can be, in the order in which they are shown; empty if they are only known when the metric is
  /// read.
  public let values: [String]

  init(_ name: String, _ values: [String] = []) {
    self.name = name
    self.values = values
  }
}
