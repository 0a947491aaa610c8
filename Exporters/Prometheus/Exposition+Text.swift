import Catalogue
import Lifecycle
import Windows

/// Writes both text formats with one code path; the templates hold what differs.
extension Exposition.Memory {
  mutating func writeText(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, _ dialect: TextDialect, _ options: ExpositionOptions,
    _ pieceBytes: Int, _ handOut: (Span<UInt8>) -> Void
  ) {
    prepareLabels(snapshot.functions.span)
    for template in TextTemplate.all(dialect) {
      let start = output.count
      writeHead(template, window: snapshot.windowLength)
      let created = options.contains(.created) ? template.createdName : nil
      let hasSamples =
        switch template.source {
        case .agent(let read): writeAgentSamples(snapshot, statistics, template, created, read)
        case .function(let read):
          writeFunctions(snapshot.functions.span, template, created, pieceBytes, handOut, read)
        case .distribution(let bounds, let read):
          writeHistograms(snapshot.functions.span, template, created, bounds, pieceBytes, handOut, read)
        case .eventSource(let trigger, let read): writeEventSources(snapshot, trigger, template, created, read)
        case .eventSourceDistribution(let trigger, let bounds, let read):
          writeEventSourceHistograms(snapshot, trigger, template, created, bounds, read)
        }
      // Nothing was handed out since, because pieces end behind samples.
      if !hasSamples { output.removeAll(behind: start) }
    }
  }

  /// For every function, `{function="name",version="version"`.
  private mutating func prepareLabels(_ functions: Span<FunctionSnapshot>) {
    labels.removeAll()
    labelEnds.removeAll(keepingCapacity: true)
    for index in functions.indices {
      let function = functions[index].function
      labels.append(static: "{function=\"")
      labels.append(escaping: function.name)
      if function.version != FunctionID.latest {
        labels.append(static: "\",version=\"")
        labels.append(escaping: function.version)
      }
      labels.append(UInt8(ascii: "\""))
      labelEnds.append(labels.count)
    }
  }

  private mutating func writeHead(_ template: TextTemplate, window: Nanoseconds) {
    output.append(template.head.span)
    guard let behind = template.headBehindWindow else { return }
    output.append(billionths: Int128(window.count))
    output.append(behind.span)
  }

  private mutating func writeAgentSamples(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, _ template: TextTemplate, _ created: [UInt8]?,
    _ read: (Snapshot, AgentStatistics, inout AgentSamples) -> Void
  ) -> Bool {
    agentSamples.removeAll()
    read(snapshot, statistics, &agentSamples)
    for position in 0..<agentSamples.count {
      output.append(template.name.span)
      writeAgentLabels(template, of: position)
      output.append(agentSamples.values[position])
      output.append(UInt8(ascii: "\n"))
      guard let created, let started = statistics.process?.started else { continue }
      output.append(created.span)
      writeAgentLabels(template, of: position)
      output.append(seconds: started)
      output.append(UInt8(ascii: "\n"))
    }
    return agentSamples.count > 0
  }

  /// `{listener="agent",reason="timeout"} `, or a blank alone.
  private mutating func writeAgentLabels(_ template: TextTemplate, of sample: Int) {
    for label in template.labelOpenings.indices {
      let opening = template.labelOpenings[label]
      output.append(opening.span)
      output.append(escaping: agentSamples.text(label, of: sample))
    }
    if !template.labelOpenings.isEmpty { output.append(static: "\"}") }
    output.append(UInt8(ascii: " "))
  }

  /// - Returns: Whether there were samples.
  private mutating func writeFunctions(
    _ functions: Span<FunctionSnapshot>, _ template: TextTemplate, _ created: [UInt8]?, _ pieceBytes: Int,
    _ handOut: (Span<UInt8>) -> Void, _ read: (Span<FunctionSnapshot>, Int, inout SampleBuffer) -> Void
  ) -> Bool {
    var start = 0
    var hasSamples = false
    for index in functions.indices {
      samples.removeAll()
      read(functions, index, &samples)
      hasSamples = hasSamples || samples.count > 0
      let end = labelEnds[index]
      for position in 0..<samples.count {
        let sample = samples[position]
        let suffix = template.suffixes.range(sample.labelValue)
        output.append(template.name.span)
        labels.withSpan(start, end) { output.append($0) }
        output.append(template.suffixes.bytes.span.extracting(suffix))
        output.append(sample.value)
        if let exemplar = template.exemplar?(functions, index, sample.labelValue) { output.append(exemplar) }
        output.append(UInt8(ascii: "\n"))
        guard let created else { continue }
        output.append(created.span)
        labels.withSpan(start, end) { output.append($0) }
        output.append(template.suffixes.bytes.span.extracting(suffix))
        output.append(seconds: functions[index].firstSeen)
        output.append(UInt8(ascii: "\n"))
      }
      start = end
      if output.count >= pieceBytes && hasSamples { handOutPiece(handOut) }
    }
    return hasSamples
  }

  private mutating func writeHistograms(
    _ functions: Span<FunctionSnapshot>, _ template: TextTemplate, _ created: [UInt8]?, _ bounds: ClassicBounds,
    _ pieceBytes: Int, _ handOut: (Span<UInt8>) -> Void, _ read: (Span<FunctionSnapshot>, Int) -> Distribution
  ) -> Bool {
    var start = 0
    for index in functions.indices {
      let distribution = read(functions, index)
      let end = labelEnds[index]
      writeHistogram(distribution, template, bounds, created, since: functions[index].firstSeen, labels: start..<end) {
        template.exemplar?(functions, index, $0)
      }
      start = end
      if output.count >= pieceBytes { handOutPiece(handOut) }
    }
    return !functions.isEmpty
  }

  /// - Parameter range: Where its labels lie.
  private mutating func writeHistogram(
    _ distribution: Distribution, _ template: TextTemplate, _ bounds: ClassicBounds, _ created: [UInt8]?,
    since firstSeen: Timestamp, labels range: Range<Int>, exemplar: (_ bucket: Int) -> Exemplar?
  ) {
    labels.withSpan(range.lowerBound, range.upperBound) { labels in
      distribution.forEachClassicBucket(bounds) { position, cumulative in
        output.appendBucket(template, labels, position, cumulative)
        if let exemplar = exemplar(position) { output.append(exemplar) }
        output.append(UInt8(ascii: "\n"))
      }
      let last = bounds.values.count
      output.appendBucket(template, labels, last, distribution.count)
      if let exemplar = exemplar(last) { output.append(exemplar) }
      output.append(UInt8(ascii: "\n"))
      output.append(template.sumName.span)
      output.append(labels)
      output.append(static: "} ")
      output.append(billionths: distribution.sumBillionths)
      output.append(UInt8(ascii: "\n"))
      output.append(template.countName.span)
      output.append(labels)
      output.append(static: "} ")
      output.append(unsigned: distribution.count)
      output.append(UInt8(ascii: "\n"))
      guard let created else { return }
      output.append(created.span)
      output.append(labels)
      output.append(static: "} ")
      output.append(seconds: firstSeen)
      output.append(UInt8(ascii: "\n"))
    }
  }
}

/// Event sources, of which there are few: their labels are written where they are needed.
extension Exposition.Memory {
  private mutating func writeEventSources(
    _ snapshot: Snapshot, _ trigger: Trigger, _ template: TextTemplate, _ created: [UInt8]?,
    _ read: (EventSourceSnapshot, Timestamp) -> MetricValue?
  ) -> Bool {
    var hasSamples = false
    for source in snapshot.eventSources where source.source.trigger == trigger {
      guard let value = read(source, snapshot.time) else { continue }
      hasSamples = true
      output.append(template.name.span)
      writeName(of: source, template)
      output.append(value)
      output.append(UInt8(ascii: "\n"))
      guard let created else { continue }
      output.append(created.span)
      writeName(of: source, template)
      output.append(seconds: source.firstSeen)
      output.append(UInt8(ascii: "\n"))
    }
    return hasSamples
  }

  /// `{queue="mail.fifo"} `.
  private mutating func writeName(of source: EventSourceSnapshot, _ template: TextTemplate) {
    let opening = template.labelOpenings[0]
    output.append(opening.span)
    output.append(escaping: source.source.name)
    output.append(static: "\"} ")
  }

  private mutating func writeEventSourceHistograms(
    _ snapshot: Snapshot, _ trigger: Trigger, _ template: TextTemplate, _ created: [UInt8]?, _ bounds: ClassicBounds,
    _ read: (EventSourceSnapshot) -> Distribution
  ) -> Bool {
    let start = labels.count
    let opening = template.labelOpenings[0]
    var hasSamples = false
    for source in snapshot.eventSources where source.source.trigger == trigger {
      hasSamples = true
      labels.append(opening.span)
      labels.append(escaping: source.source.name)
      labels.append(UInt8(ascii: "\""))
      writeHistogram(
        read(source), template, bounds, created, since: source.firstSeen, labels: start..<labels.count
      ) { _ in nil }
      labels.removeAll(behind: start)
    }
    return hasSamples
  }
}

extension Distribution {
  /// The sum in the shown unit, with nine decimals.
  fileprivate var sumBillionths: Int128 { measure == .duration ? sum : sum * 1_000_000_000 }
}

extension OutputBuffer {
  @inline(__always)
  fileprivate mutating func appendBucket(
    _ template: TextTemplate, _ labels: Span<UInt8>, _ position: Int, _ cumulative: UInt64
  ) {
    append(template.name.span)
    append(labels)
    append(template.suffixes.bytes.span.extracting(template.suffixes.range(position)))
    append(unsigned: cumulative)
  }

  @inline(__always) fileprivate mutating func append(_ value: MetricValue) {
    switch value {
    case .unsigned(let value): append(unsigned: value)
    case .integer(let value): append(integer: value)
    case .billionths(let value): append(billionths: value)
    }
  }

  fileprivate mutating func append(seconds time: Timestamp) { append(billionths: Int128(time.nanoseconds)) }

  /// ` # {request_id="…"} value time`.
  fileprivate mutating func append(_ exemplar: Exemplar) {
    append(static: " # {request_id=\"")
    append(uuid: exemplar.request.value)
    append(static: "\"} ")
    append(billionths: Int128(exemplar.value.count))
    append(UInt8(ascii: " "))
    append(seconds: exemplar.time)
  }

  mutating func append(static text: StaticString) {
    text.withUTF8Buffer { bytes in unsafe append(Span(_unsafeElements: bytes)) }
  }

  /// A label's value: backslash, quote and line feed are escaped, nothing else may be.
  fileprivate mutating func append(escaping text: String) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"), UInt8(ascii: "\""):
        append(UInt8(ascii: "\\"))
        append(byte)
      case UInt8(ascii: "\n"):
        append(UInt8(ascii: "\\"))
        append(UInt8(ascii: "n"))
      default: append(byte)
      }
    }
  }
}
