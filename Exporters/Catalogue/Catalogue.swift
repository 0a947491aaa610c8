/// Every metric that Kelvin exposes. docs/metrics.md is generated from it.
public enum Catalogue {
  /// In the order in which they are exposed.
  public static let families: [MetricFamily] =
    counters + histograms + gauges + windowGauges + account + eventSources + kelvin + journal + clock + sources
    + servers + process
}
