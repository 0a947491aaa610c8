import CPrometheusProto
import CProtobufC
import Catalogue
import Lifecycle
import Windows

/// Where the packed labels of a function lie in the buffer of labels, and behind them when Kelvin first saw it.
struct PackedLabels: Sendable {
  var start: Int
  var functionEnd: Int
  /// As ``functionEnd`` if the version is not shown.
  var versionEnd: Int
  var createdEnd: Int
}

/// Messages of metrics are packed one after the other by protobuf-c; what they share was packed before. The message of a family is made
/// around them, because its length stands before it: what lies in memory at once is the longest family.
extension Exposition.Memory {
  mutating func writeProtobuf(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, _ pieceBytes: Int, _ handOut: (Span<UInt8>) -> Void
  ) {
    prepareLabels(snapshot.functions.span)
    // The times of what is counted once lie behind those of the functions.
    let agentStart = labels.count
    if let started = statistics.process?.started { labels.append(instant: started) }
    let agentCreated = agentStart..<labels.count
    for template in ProtobufTemplate.all {
      let start = output.beginLength(bytes: lengthBytes(template, snapshot.functions.count))
      let bytes = output.count - start
      writeHead(template, window: snapshot.windowLength)
      let headEnd = output.count
      switch template.source {
      case .agent(let read): writeAgentSamples(snapshot, statistics, template, agentCreated, read)
      case .function(let read): writeFunctions(snapshot.functions.span, template, read)
      case .distribution(let bounds, let read): writeHistograms(snapshot.functions.span, template, bounds, read)
      case .eventSource(let trigger, let read): writeEventSources(snapshot, trigger, template, read)
      case .eventSourceDistribution(let trigger, let bounds, let read):
        writeEventSourceHistograms(snapshot, trigger, template, bounds, read)
      }
      guard output.count > headEnd else {
        output.removeAll(behind: start)
        continue
      }
      output.endLength(at: start, bytes: bytes)
      if output.count >= pieceBytes { handOutPiece(handOut) }
    }
  }

  /// How many bytes the length of a family probably takes.
  private func lengthBytes(_ template: ProtobufTemplate, _ functions: Int) -> Int {
    switch template.source {
    case .agent, .eventSource, .eventSourceDistribution: return 2
    case .function, .distribution: return functions < 50 ? 2 : functions < 10_000 ? 3 : 4
    }
  }

  private mutating func prepareLabels(_ functions: Span<FunctionSnapshot>) {
    labels.removeAll()
    packedLabels.removeAll(keepingCapacity: true)
    for index in functions.indices {
      let function = functions[index].function
      var packed = PackedLabels(start: labels.count, functionEnd: 0, versionEnd: 0, createdEnd: 0)
      labels.append(label: "function", value: function.name)
      packed.functionEnd = labels.count
      if function.version != FunctionID.latest { labels.append(label: "version", value: function.version) }
      packed.versionEnd = labels.count
      labels.append(instant: functions[index].firstSeen)
      packed.createdEnd = labels.count
      packedLabels.append(packed)
    }
  }

  private mutating func writeHead(_ template: ProtobufTemplate, window: Nanoseconds) {
    // The help is put together behind the labels, and forgotten when it is packed.
    let start = labels.count
    labels.append(template.help.span)
    if let behind = template.helpBehindWindow {
      labels.append(billionths: Int128(window.count))
      labels.append(behind.span)
    }
    var family = unsafe KelvinPrometheus__Family()
    unsafe kelvin_prometheus__family__init(&family)
    // SAFETY: what the message points to is not touched before it is packed.
    unsafe family.name = unsafe template.name.data
    unsafe family.help = unsafe labels.binaryData(start, labels.count)
    unsafe family.kind =
      switch template.kind {
      case .counter: KELVIN_PROMETHEUS__KIND__COUNTER
      case .gauge: KELVIN_PROMETHEUS__KIND__GAUGE
      case .histogram: KELVIN_PROMETHEUS__KIND__HISTOGRAM
      }
    if let unit = template.unit {
      unsafe family.unit = unsafe unit.data
      unsafe family.has_unit = 1
    }
    let room = unsafe 64 + family.name.len + family.help.len + family.unit.len
    unsafe withUnsafePointer(to: &family) { family in
      _ = unsafe output.append(
        room: room, message: UnsafeRawPointer(family).assumingMemoryBound(to: ProtobufCMessage.self))
    }
    labels.removeAll(behind: start)
  }

  private mutating func writeAgentSamples(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, _ template: ProtobufTemplate, _ created: Range<Int>,
    _ read: (Snapshot, AgentStatistics, inout AgentSamples) -> Void
  ) {
    agentSamples.removeAll()
    read(snapshot, statistics, &agentSamples)
    let end = labels.count
    for position in 0..<agentSamples.count {
      metric.removeLabels()
      // All are packed before the first is lent: the buffer may move while it grows.
      var ends: InlineArray<3, Int> = [end, end, end]
      for label in template.labelNames.indices {
        labels.append(label: template.labelNames[label], value: agentSamples.text(label, of: position))
        ends[label] = labels.count
      }
      for label in template.labelNames.indices {
        unsafe metric.add(label: labels.binaryData(label == 0 ? end : ends[label - 1], ends[label]))
      }
      // SAFETY: the labels do not change before the metric is packed.
      let value = agentSamples.values[position].nearestDouble
      if template.kind == .counter {
        unsafe metric.setCounter(
          value, created: labels.binaryData(created.lowerBound, created.upperBound), nil)
      } else {
        metric.setGauge(value)
      }
      writeMetric(lengthBytes: 1)
      labels.removeAll(behind: end)
    }
  }

  private mutating func writeFunctions(
    _ functions: Span<FunctionSnapshot>, _ template: ProtobufTemplate,
    _ read: (Span<FunctionSnapshot>, Int, inout SampleBuffer) -> Void
  ) {
    for index in functions.indices {
      samples.removeAll()
      read(functions, index, &samples)
      guard samples.count > 0 else { continue }
      let packed = packedLabels[index]
      let shared = setLabels(packed)
      for position in 0..<samples.count {
        let sample = samples[position]
        // SAFETY: the labels do not change before the metric is packed.
        if !template.labels.isEmpty {
          metric.keepLabels(shared)
          unsafe metric.add(label: template.labels[sample.labelValue].data)
        }
        if template.kind == .counter {
          unsafe metric.setCounter(
            sample.value.nearestDouble, created: labels.binaryData(packed.versionEnd, packed.createdEnd),
            template.exemplar?(functions, index, sample.labelValue))
        } else {
          metric.setGauge(sample.value.nearestDouble)
        }
        writeMetric(lengthBytes: 1)
      }
    }
  }

  private mutating func writeHistograms(
    _ functions: Span<FunctionSnapshot>, _ template: ProtobufTemplate, _ bounds: ClassicBounds,
    _ read: (Span<FunctionSnapshot>, Int) -> Distribution
  ) {
    metric.beginHistograms(bounds)
    for index in functions.indices {
      let packed = packedLabels[index]
      _ = setLabels(packed)
      // SAFETY: the labels do not change before the metric is packed.
      unsafe metric.setHistogram(
        read(functions, index), bounds, created: labels.binaryData(packed.versionEnd, packed.createdEnd))
      if let exemplar = template.exemplar { metric.setExemplars { bucket in exemplar(functions, index, bucket) } }
      writeMetric(lengthBytes: 2)
    }
  }

  private mutating func writeEventSources(
    _ snapshot: Snapshot, _ trigger: Trigger, _ template: ProtobufTemplate,
    _ read: (EventSourceSnapshot, Timestamp) -> MetricValue?
  ) {
    let start = labels.count
    for source in snapshot.eventSources where source.source.trigger == trigger {
      guard let value = read(source, snapshot.time)?.nearestDouble else { continue }
      let nameEnd = setLabel(of: source, template)
      // SAFETY: the labels do not change before the metric is packed.
      if template.kind == .counter {
        unsafe metric.setCounter(value, created: labels.binaryData(nameEnd, labels.count), nil)
      } else {
        metric.setGauge(value)
      }
      writeMetric(lengthBytes: 1)
      labels.removeAll(behind: start)
    }
  }

  private mutating func writeEventSourceHistograms(
    _ snapshot: Snapshot, _ trigger: Trigger, _ template: ProtobufTemplate, _ bounds: ClassicBounds,
    _ read: (EventSourceSnapshot) -> Distribution
  ) {
    metric.beginHistograms(bounds)
    let start = labels.count
    for source in snapshot.eventSources where source.source.trigger == trigger {
      let nameEnd = setLabel(of: source, template)
      // SAFETY: the labels do not change before the metric is packed.
      unsafe metric.setHistogram(read(source), bounds, created: labels.binaryData(nameEnd, labels.count))
      writeMetric(lengthBytes: 2)
      labels.removeAll(behind: start)
    }
  }

  /// Packs the label of an event source behind the other labels, and behind it when Kelvin first saw the source.
  ///
  /// - Returns: Where the label ends.
  private mutating func setLabel(of source: EventSourceSnapshot, _ template: ProtobufTemplate) -> Int {
    let start = labels.count
    labels.append(label: template.labelNames[0], value: source.source.name)
    let end = labels.count
    labels.append(instant: source.firstSeen)
    metric.removeLabels()
    // SAFETY: the labels do not change before the metric is packed.
    unsafe metric.add(label: labels.binaryData(start, end))
    return end
  }

  /// - Returns: How many labels the function has.
  private mutating func setLabels(_ packed: PackedLabels) -> Int {
    metric.removeLabels()
    // SAFETY: the labels do not change before the metric is packed.
    unsafe metric.add(label: labels.binaryData(packed.start, packed.functionEnd))
    guard packed.versionEnd > packed.functionEnd else { return 1 }
    unsafe metric.add(label: labels.binaryData(packed.functionEnd, packed.versionEnd))
    return 2
  }

  private mutating func writeMetric(lengthBytes: Int) {
    // Field 4 of a family, with its length.
    output.append(4 << 3 | 2)
    let start = output.beginLength(bytes: lengthBytes)
    unsafe output.append(room: metric.room, message: metric.message)
    output.endLength(at: start, bytes: lengthBytes)
  }
}
