import CPrometheusProto
import CProtobufC
import Lifecycle
import Windows

/// The protobuf message of one metric and everything that it points to: allocated once, filled again for every metric.
///
/// SAFETY: all of its memory lives as long as it does. What it is lent (labels and times, in buffers and templates) has to live until it is
/// packed.
@safe struct MetricMessage: ~Copyable {
  /// 2^-128, as Go's client has it. Never 0: Prometheus 2.42 takes a histogram for native only if there is a bucket or this.
  static let zeroThreshold = 2.938735877055719e-39
  /// A gap of so many empty buckets is written as counts of zero, which are shorter than another span.
  static let widestMergedGap = 2

  private static let labelsLimit = 3
  private static let bucketsLimit = 32
  private static let nativeBucketsLimit = Distribution.nativeBucketsLimit
  private static let spansLimit = nativeBucketsLimit / (widestMergedGap + 2) + 1

  private let metric = unsafe CMemory(1) { _ in
    var metric = unsafe KelvinPrometheus__Metric()
    unsafe kelvin_prometheus__metric__init(&metric)
    return unsafe metric
  }
  private let labels = unsafe CMemory(labelsLimit) { _ in unsafe ProtobufCBinaryData() }
  private let gauge = unsafe CMemory(1) { _ in
    var gauge = unsafe KelvinPrometheus__Gauge()
    unsafe kelvin_prometheus__gauge__init(&gauge)
    return unsafe gauge
  }
  private let counter = unsafe CMemory(1) { _ in
    var counter = unsafe KelvinPrometheus__Counter()
    unsafe kelvin_prometheus__counter__init(&counter)
    return unsafe counter
  }
  private let histogram = unsafe CMemory(1) { _ in
    var histogram = unsafe KelvinPrometheus__Histogram()
    unsafe kelvin_prometheus__histogram__init(&histogram)
    return unsafe histogram
  }
  private let buckets = unsafe CMemory(bucketsLimit) { _ in
    var bucket = unsafe KelvinPrometheus__Bucket()
    unsafe kelvin_prometheus__bucket__init(&bucket)
    return unsafe bucket
  }
  private let spans = unsafe CMemory(spansLimit) { _ in
    var span = unsafe KelvinPrometheus__Span()
    unsafe kelvin_prometheus__span__init(&span)
    return unsafe span
  }
  private let bucketPointers: CMemory<UnsafeMutablePointer<KelvinPrometheus__Bucket>?>
  private let spanPointers: CMemory<UnsafeMutablePointer<KelvinPrometheus__Span>?>
  private let deltas = CMemory<Int64>(nativeBucketsLimit + widestMergedGap) { _ in 0 }
  private var exemplars = ExemplarMessages(limit: bucketsLimit)

  init() {
    unsafe bucketPointers = CMemory(MetricMessage.bucketsLimit) { [buckets = unsafe buckets.start] in
      unsafe buckets + $0
    }
    unsafe spanPointers = CMemory(MetricMessage.spansLimit) { [spans = unsafe spans.start] in unsafe spans + $0 }
    unsafe metric.start.pointee.label = unsafe labels.start
    unsafe histogram.start.pointee.bucket = unsafe bucketPointers.start
    unsafe histogram.start.pointee.span = unsafe spanPointers.start
    unsafe histogram.start.pointee.delta = unsafe deltas.start
    unsafe histogram.start.pointee.exemplar = unsafe exemplars.inOrderOfTime.start
    unsafe histogram.start.pointee.schema = 4
    unsafe histogram.start.pointee.zero_threshold = MetricMessage.zeroThreshold
  }

  /// No fewer bytes than the message takes.
  private(set) var room = 0

  /// The base of the message, to be packed.
  @unsafe var message: UnsafePointer<ProtobufCMessage> {
    unsafe UnsafeRawPointer(metric.start).assumingMemoryBound(to: ProtobufCMessage.self)
  }

  // MARK: Labels

  mutating func removeLabels() { unsafe metric.start.pointee.n_label = 0 }

  /// The labels of what is described stay when those behind them are replaced.
  mutating func keepLabels(_ count: Int) {
    unsafe metric.start.pointee.n_label = min(unsafe metric.start.pointee.n_label, count)
  }

  /// - Parameter label: A packed label.
  @unsafe mutating func add(label: ProtobufCBinaryData) {
    let count = unsafe metric.start.pointee.n_label
    unsafe labels.pointer(count).pointee = unsafe label
    unsafe metric.start.pointee.n_label = count + 1
  }

  private var labelBytes: Int {
    var bytes = 0
    for position in 0..<(unsafe metric.start.pointee.n_label) {
      // A tag and a length beside each.
      bytes += unsafe labels.start[position].len + 11
    }
    return bytes
  }

  // MARK: Values

  mutating func setGauge(_ value: Double) {
    unsafe gauge.start.pointee.value = value
    unsafe metric.start.pointee.gauge = unsafe gauge.start
    unsafe metric.start.pointee.counter = nil
    unsafe metric.start.pointee.histogram = nil
    // A double takes 9 bytes with its tag, a message 2 with tag and length.
    room = labelBytes + 16
  }

  /// - Parameter created: A packed instant; empty if it is not known.
  @unsafe mutating func setCounter(_ value: Double, created: ProtobufCBinaryData, _ exemplar: Exemplar?) {
    unsafe counter.start.pointee.value = value
    unsafe counter.start.pointee.created = unsafe created
    unsafe counter.start.pointee.has_created = unsafe created.len > 0 ? 1 : 0
    unsafe counter.start.pointee.exemplar = nil
    if let exemplar { unsafe counter.start.pointee.exemplar = unsafe exemplars.set(0, exemplar) }
    unsafe metric.start.pointee.gauge = nil
    unsafe metric.start.pointee.counter = unsafe counter.start
    unsafe metric.start.pointee.histogram = nil
    room = unsafe labelBytes + 32 + created.len + ExemplarMessages.room
  }

  /// Prepares for histograms that share their bounds.
  mutating func beginHistograms(_ bounds: ClassicBounds) {
    let count = bounds.values.count + 1
    precondition(
      count <= MetricMessage.bucketsLimit, "BUG: \(count) buckets, and room for \(MetricMessage.bucketsLimit)")
    for position in 0..<count {
      unsafe buckets.start[position].upper_bound = position < bounds.values.count ? bounds.values[position] : .infinity
      unsafe buckets.start[position].exemplar = nil
    }
    unsafe histogram.start.pointee.n_bucket = count
  }

  /// - Parameters:
  ///   - bounds: Those that it was prepared for.
  ///   - created: A packed instant.
  @unsafe mutating func setHistogram(
    _ distribution: Distribution, _ bounds: ClassicBounds, created: ProtobufCBinaryData
  ) {
    unsafe histogram.start.pointee.count = distribution.count
    unsafe histogram.start.pointee.sum = distribution.shownSum
    unsafe histogram.start.pointee.zero_count = distribution.zeroCount
    unsafe histogram.start.pointee.created = unsafe created
    unsafe histogram.start.pointee.has_created = unsafe created.len > 0 ? 1 : 0
    let buckets = unsafe buckets.start
    distribution.forEachClassicBucket(bounds) { position, cumulative in
      unsafe buckets[position].cumulative_count = cumulative
    }
    unsafe buckets[bounds.values.count].cumulative_count = distribution.count
    setNativeBuckets(distribution)
    exemplars.removeAll()
    unsafe histogram.start.pointee.n_exemplar = 0
    unsafe metric.start.pointee.gauge = nil
    unsafe metric.start.pointee.counter = nil
    unsafe metric.start.pointee.histogram = unsafe histogram.start
    room = unsafe histogramRoom + created.len
  }

  private mutating func setNativeBuckets(_ distribution: Distribution) {
    var spanCount = 0
    var deltaCount = 0
    var before: UInt64 = 0
    var next = 0
    let spans = unsafe spans.start
    let deltas = unsafe deltas.start
    // Read once: for each of a thousand buckets, a check whether they are initialized would be noticed.
    let (deltasLimit, spansLimit) = (MetricMessage.nativeBucketsLimit, MetricMessage.spansLimit)
    distribution.forEachNativeBucket { index, count in
      precondition(
        deltaCount < deltasLimit && spanCount < spansLimit,
        "BUG: more than \(deltaCount) native buckets in \(spanCount) spans")
      let gap = index - next
      if spanCount > 0, gap <= MetricMessage.widestMergedGap {
        for _ in 0..<gap {
          unsafe deltas[deltaCount] = -Int64(bitPattern: before)
          deltaCount += 1
          before = 0
        }
        unsafe spans[spanCount - 1].length += UInt32(gap + 1)
      } else {
        unsafe spans[spanCount].offset = Int32(gap)
        unsafe spans[spanCount].length = 1
        spanCount += 1
      }
      unsafe deltas[deltaCount] = Int64(bitPattern: count &- before)
      deltaCount += 1
      before = count
      next = index + 1
    }
    unsafe histogram.start.pointee.n_span = spanCount
    unsafe histogram.start.pointee.n_delta = deltaCount
  }

  /// Gives the histogram, which was set before, its exemplars.
  ///
  /// - Parameter exemplar: That of a bucket.
  mutating func setExemplars(_ exemplar: (_ bucket: Int) -> Exemplar?) {
    exemplars.removeAll()
    for position in 0..<(unsafe histogram.start.pointee.n_bucket) {
      unsafe buckets.start[position].exemplar = nil
      guard let found = exemplar(position) else { continue }
      // In the buckets for what reads classic ones, which Prometheus before 2.51 does for native histograms, too; and beside them.
      unsafe buckets.start[position].exemplar = unsafe exemplars.set(position, found)
      exemplars.sortIn(position)
    }
    unsafe histogram.start.pointee.n_exemplar = exemplars.count
    room += exemplars.count * 2 * ExemplarMessages.room
  }

  /// Numbers take 10 bytes at most, doubles 8, tags up to 2, and lengths 5.
  private var histogramRoom: Int {
    let histogram = unsafe histogram.start
    let fixed = unsafe labelBytes + 96 + histogram.pointee.n_bucket * 32
    let native = unsafe histogram.pointee.n_span * 24 + histogram.pointee.n_delta * 10
    return fixed + native
  }
}
