/// The formats in which a scrape can be written.
public enum ExpositionFormat: Sendable, Hashable, CaseIterable {
  /// The Prometheus text format 0.0.4.
  case text
  /// OpenMetrics 1.0 as text: with units, exemplars and an end.
  case openMetrics
  /// `io.prometheus.client.MetricFamily` messages, each with its length in front: with exemplars, native histograms and created times.
  case protobuf

  /// What `Content-Type` says of it when nothing more special was asked for.
  public var contentType: String {
    switch self {
    case .text: "text/plain; version=0.0.4; charset=utf-8"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    case .protobuf: "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
    }
  }
}

/// Parts of a scrape that are written only if the scraper asks for them.
public struct ExpositionOptions: OptionSet, Sendable {
  /// The options as bits; bits that belong to no option are ignored.
  public let rawValue: UInt8
  /// Makes options of bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// OpenMetrics: a sample with `_created` beside each counter and histogram. The other formats pass over it: protobuf always has the
  /// times, and text 0.0.4 has no place for them.
  public static let created = ExpositionOptions(rawValue: 1)
}
