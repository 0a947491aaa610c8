import Foundation

/// What a protobuf exposition says, as io.prometheus.client.MetricFamily describes it.
package struct ReadFamily {
  package enum Kind: UInt64 { case counter, gauge, summary, untyped, histogram }

  package var name: String
  package var help: String
  package var kind: Kind
  package var unit: String?
  package var metrics: [ReadMetric]

  package static func all(_ bytes: [UInt8]) throws -> [ReadFamily] {
    try ProtobufMessage.delimited(bytes).map { try ReadFamily($0) }
  }

  package init(_ message: ProtobufMessage) throws {
    name = try message.text(1) ?? ""
    help = try message.text(2) ?? ""
    kind = Kind(rawValue: try message.unsigned(3) ?? 0) ?? .untyped
    unit = try message.text(5)
    metrics = try message.messages(4).map { try ReadMetric($0) }
  }
}

package struct ReadMetric {
  package var labels: [String: String]
  package var gauge: Double?
  package var counter: Double?
  package var counterExemplar: ReadExemplar?
  package var created: Double?
  package var histogram: ReadHistogram?

  package init(_ message: ProtobufMessage) throws {
    labels = try ReadMetric.labels(message)
    gauge = try message.message(2)?.double(1)
    let counterMessage = try message.message(3)
    counter = try counterMessage?.double(1)
    counterExemplar = try counterMessage?.message(2).map { try ReadExemplar($0) }
    histogram = try message.message(7).map { try ReadHistogram($0) }
    created = try counterMessage?.message(3).map(ReadExemplar.seconds) ?? histogram?.created
  }

  package static func labels(_ message: ProtobufMessage) throws -> [String: String] {
    let pairs = try message.messages(1).map { (try $0.text(1) ?? "", try $0.text(2) ?? "") }
    return try Dictionary(pairs) { _, _ in throw ProtobufMessage.Problem(description: "a label is there twice") }
  }
}

package struct ReadExemplar: Equatable {
  package var labels: [String: String]
  package var value: Double
  package var seconds: Double

  package init(_ message: ProtobufMessage) throws {
    labels = try ReadMetric.labels(message)
    value = try message.double(2) ?? .nan
    seconds = try message.message(3).map(ReadExemplar.seconds) ?? .nan
  }

  package static func seconds(_ message: ProtobufMessage) throws -> Double {
    Double(try message.unsigned(1) ?? 0) + Double(try message.unsigned(2) ?? 0) / 1e9
  }
}

package struct ReadHistogram {
  package struct Bucket {
    package var bound: Double
    package var cumulative: UInt64
    package var exemplar: ReadExemplar?
  }

  package struct Span: Equatable {
    package var offset: Int64
    package var length: UInt64

    package init(offset: Int64, length: UInt64) {
      self.offset = offset
      self.length = length
    }
  }

  package var count: UInt64
  package var sum: Double
  package var buckets: [Bucket]
  package var schema: Int64
  package var zeroThreshold: Double
  package var zeroCount: UInt64
  package var spans: [Span]
  package var deltas: [Int64]
  package var created: Double?
  package var exemplars: [ReadExemplar]

  package init(_ message: ProtobufMessage) throws {
    count = try message.unsigned(1) ?? 0
    sum = try message.double(2) ?? .nan
    buckets = try message.messages(3).map {
      Bucket(
        bound: try $0.double(2) ?? .nan, cumulative: try $0.unsigned(1) ?? 0,
        exemplar: try $0.message(3).map { try ReadExemplar($0) })
    }
    schema = try message.zigzag(5) ?? .max
    zeroThreshold = try message.double(6) ?? 0
    zeroCount = try message.unsigned(7) ?? 0
    spans = try message.messages(12).map { Span(offset: try $0.zigzag(1) ?? 0, length: try $0.unsigned(2) ?? 0) }
    deltas = try message.zigzags(13)
    created = try message.message(15).map(ReadExemplar.seconds)
    exemplars = try message.messages(16).map { try ReadExemplar($0) }
  }

  /// The native buckets that hold something, by index.
  package func nativeBuckets() throws -> [Int64: Int64] {
    var result: [Int64: Int64] = [:]
    var index: Int64 = 0
    var count: Int64 = 0
    var position = 0
    for (number, span) in spans.enumerated() {
      index += span.offset
      if number > 0, span.offset < 0 { throw ProtobufMessage.Problem(description: "spans overlap") }
      for _ in 0..<span.length {
        guard position < deltas.count else { throw ProtobufMessage.Problem(description: "too few deltas") }
        count += deltas[position]
        if count != 0 { result[index] = count }
        position += 1
        index += 1
      }
    }
    guard position == deltas.count else { throw ProtobufMessage.Problem(description: "too many deltas") }
    return result
  }
}
