import LambdaRecords
import Lifecycle
import LogContainers

/// Gathers the facts of lines into batches.
final class FactCollector {
  /// How many facts a batch has; well below what an agent takes.
  private static let batchFacts = 20_000

  private let send: (FactBatch) -> Void
  private var facts: [(stream: Int, fact: LogFact)] = []

  init(send: @escaping (FactBatch) -> Void) { self.send = send }

  func take(_ fact: LogFact, _ stream: Int, _ lives: LifeReconstruction) {
    facts.append((stream, fact))
    if facts.count >= FactCollector.batchFacts { flush(lives) }
  }

  /// Sends what was gathered, with what is known of the streams by now.
  func flush(_ lives: LifeReconstruction) {
    guard !facts.isEmpty else { return }
    var batch = FactBatch()
    var positions: [Int: Int] = [:]
    for (stream, fact) in facts {
      if positions[stream] == nil {
        positions[stream] = batch.streams.count
        batch.streams.append(FactCollector.stream(stream, lives))
      }
      if let position = positions[stream] { batch.facts.append((position, fact)) }
    }
    facts.removeAll(keepingCapacity: true)
    send(batch)
  }

  /// Sends the rest, and the times of the last lines of all streams.
  func finish(_ lives: LifeReconstruction) {
    flush(lives)
    var batch = FactBatch()
    for stream in 0..<lives.streamCount where lives.lastSeen(of: stream) != nil {
      batch.streams.append(FactCollector.stream(stream, lives))
      if batch.streams.count == FactCollector.batchFacts {
        send(batch)
        batch = FactBatch()
      }
    }
    if !batch.streams.isEmpty { send(batch) }
  }

  private static func stream(_ stream: Int, _ lives: LifeReconstruction) -> FactBatch.Stream {
    var name = lives.name(of: stream)
    // Longer than any of CloudWatch: its end tells it apart, if anything does.
    if let long = name, long.utf8.count > FactBatch.streamNameBytesMax {
      name = String(long.unicodeScalars.suffix(FactBatch.streamNameBytesMax / 4))
    }
    let function = lives.function(of: stream).flatMap { $0.utf8.count <= FunctionID.nameBytesLimit ? $0 : nil }
    return FactBatch.Stream(
      name: name.flatMap { $0.isEmpty ? nil : $0 }, function: function.flatMap { $0.isEmpty ? nil : $0 },
      lastSeen: lives.lastSeen(of: stream))
  }
}
