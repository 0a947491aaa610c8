import Text
import Lifecycle
import Windows

extension WindowDocument {
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    if let function { writer.member("function", function) }
    if let version { writer.member("version", version) }
    writer.member("start", RFC3339.text(start))
    writer.member("end", RFC3339.text(end))
    writer.member("closed", closed)
    writeCounts(to: &writer)
    writePeaks(to: &writer)
    for (name, distribution) in [
      ("duration", duration), ("initialization", initialization), ("warmup", warmUp), ("memoryUsedBytes", memoryUsed),
      ("instanceLifetime", instanceLifetime),
    ] {
      writer.key(name)
      distribution.write(to: &writer)
    }
    writer.endObject()
  }

  private func writeCounts(to writer: inout JSONWriter) {
    writer.member("invocations", invocations)
    invocationsByTrigger.write("invocationsByTrigger", to: &writer)
    writer.member("errors", errors)
    writer.member("throttles", throttles)
    throttlesByReason.write("throttlesByReason", to: &writer)
    writer.member("timeouts", timeouts)
    timeoutsBySource.write("timeoutsBySource", to: &writer)
    writer.member("crashes", crashes)
    writer.member("outOfMemory", outOfMemory)
    writer.member("coldStarts", coldStarts)
    writer.member("initializations", initializations)
    initializationsByType.write("initializationsByType", to: &writer)
    writer.member("initializationFailures", initializationFailures)
    writer.member("warmupFailures", warmUpFailures)
    writer.member("provisionedInvocations", provisionedInvocations)
    writer.member("spillover", spillover)
    writer.member("instanceStops", instanceStops)
    instanceStopsByReason.write("instanceStopsByReason", to: &writer)
  }

  private func writePeaks(to writer: inout JSONWriter) {
    writer.member("concurrencyMax", concurrencyMax)
    writer.member("instancesMax", instancesMax)
    writer.member("provisionedConcurrencyMax", provisionedConcurrencyMax)
    writer.key("provisionedUtilizationMax")
    writer.real(provisionedUtilizationMax)
    if let unreservedConcurrencyMax { writer.member("unreservedConcurrencyMax", unreservedConcurrencyMax) }
    if let claimedConcurrencyMax { writer.member("claimedConcurrencyMax", claimedConcurrencyMax) }
    writer.member("concurrencySeconds", nanoseconds: concurrencyNanoseconds)
    writer.member("billedSeconds", nanoseconds: billedNanoseconds)
    writer.member("overlappingMax", overlappingMax)
  }

  init(from reader: inout JSONReader) throws(JSONError) {
    let position = reader.position
    var document = WindowDocument(
      function: nil, start: Timestamp(nanoseconds: 0), end: Timestamp(nanoseconds: 0), closed: false)
    var hasSpan = (start: false, end: false)
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "start":
        document.start = try reader.time()
        hasSpan.start = true
      case "end":
        document.end = try reader.time()
        hasSpan.end = true
      default:
        if try document.readCount(name, &reader) { return }
        if try document.readOther(name, &reader) { return }
        try reader.skip()
      }
    }
    guard hasSpan.start, hasSpan.end else {
      throw JSONError(.missing, "a window has no start or no end", position: position)
    }
    self = document
  }

  /// - Returns: Whether it was a member of this kind, and was read.
  private mutating func readCount(_ name: String, _ reader: inout JSONReader) throws(JSONError) -> Bool {
    switch name {
    case "invocations": invocations = try reader.unsigned()
    case "invocationsByTrigger": invocationsByTrigger = try [NamedCount](from: &reader)
    case "errors": errors = try reader.unsigned()
    case "throttles": throttles = try reader.unsigned()
    case "throttlesByReason": throttlesByReason = try [NamedCount](from: &reader)
    case "timeouts": timeouts = try reader.unsigned()
    case "timeoutsBySource": timeoutsBySource = try [NamedCount](from: &reader)
    case "crashes": crashes = try reader.unsigned()
    case "outOfMemory": outOfMemory = try reader.unsigned()
    case "coldStarts": coldStarts = try reader.unsigned()
    case "initializations": initializations = try reader.unsigned()
    case "initializationsByType": initializationsByType = try [NamedCount](from: &reader)
    case "initializationFailures": initializationFailures = try reader.unsigned()
    case "warmupFailures": warmUpFailures = try reader.unsigned()
    case "provisionedInvocations": provisionedInvocations = try reader.unsigned()
    case "spillover": spillover = try reader.unsigned()
    case "instanceStops": instanceStops = try reader.unsigned()
    case "instanceStopsByReason": instanceStopsByReason = try [NamedCount](from: &reader)
    default: return false
    }
    return true
  }

  /// - Returns: Whether it was a member of this kind, and was read.
  private mutating func readOther(_ name: String, _ reader: inout JSONReader) throws(JSONError) -> Bool {
    switch name {
    case "function": function = try reader.stringOrNull()
    case "version": version = try reader.stringOrNull()
    case "closed": closed = try reader.boolean()
    case "concurrencyMax": concurrencyMax = try reader.signed()
    case "instancesMax": instancesMax = try reader.signed()
    case "provisionedConcurrencyMax": provisionedConcurrencyMax = try reader.signed()
    case "provisionedUtilizationMax": provisionedUtilizationMax = Double(try reader.nanoseconds()) / 1e9
    case "unreservedConcurrencyMax": unreservedConcurrencyMax = try reader.signed()
    case "claimedConcurrencyMax": claimedConcurrencyMax = try reader.signed()
    case "concurrencySeconds": concurrencyNanoseconds = try reader.nanoseconds()
    case "billedSeconds": billedNanoseconds = try reader.nanoseconds()
    case "overlappingMax": overlappingMax = try reader.signed()
    case "duration": duration = try DistributionDocument(.duration, from: &reader)
    case "initialization": initialization = try DistributionDocument(.duration, from: &reader)
    case "warmup": warmUp = try DistributionDocument(.duration, from: &reader)
    case "memoryUsedBytes": memoryUsed = try DistributionDocument(.bytes, from: &reader)
    case "instanceLifetime": instanceLifetime = try DistributionDocument(.duration, from: &reader)
    default: return false
    }
    return true
  }
}
