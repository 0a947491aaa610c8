internal import Catalogue
internal import HTTPServer
internal import NIOCore
internal import NIOHTTP1
internal import Prometheus
internal import Synchronization
internal import Windows

/// Writes scrapes, each with memory of its own that the next one uses again.
final class MetricsWriters: Sendable {
  /// More than so many scrapes at once are served too, but their memory is given back.
  private static let keptLimit = 4
  private let idle = Mutex<[MetricsWriter]>([])

  func page(_ snapshot: Snapshot, _ statistics: AgentStatistics, compressed: Bool) -> HTTPResponse {
    let writer = idle.withLock { $0.popLast() } ?? MetricsWriter()
    defer { idle.withLock { idle in if idle.count < Self.keptLimit { idle.append(writer) } } }
    return writer.page(snapshot, statistics, compressed: compressed)
  }
}

/// Writes one scrape at a time.
final class MetricsWriter: Sendable {
  private struct State: ~Copyable {
    var exposition = TextExposition()
    /// The size of the last page that was not compressed.
    var bytesExpected = 65_536
  }

  /// Text is handed out in pieces, so that a scrape of ten thousand functions never lies in memory whole, unless its
  /// reader does not take gzip.
  private static let pieceBytes = 262_144
  private let state = Mutex(State())

  func page(_ snapshot: Snapshot, _ statistics: AgentStatistics, compressed: Bool) -> HTTPResponse {
    var response = HTTPResponse(
      status: .ok, headers: ["Content-Type": TextExposition.contentType, "Vary": "Accept-Encoding"])
    if compressed, let body = self.compressed(snapshot, statistics) {
      response.headers.add(name: "Content-Encoding", value: "gzip")
      response.body = body
    } else {
      response.body = plain(snapshot, statistics)
    }
    return response
  }

  private func compressed(_ snapshot: Snapshot, _ statistics: AgentStatistics) -> ByteBuffer? {
    guard let gzip = Gzip.begin() else { return nil }
    state.withLock { $0.exposition.write(snapshot, statistics, pieceBytes: Self.pieceBytes) { gzip.append($0) } }
    return gzip.finish()
  }

  private func plain(_ snapshot: Snapshot, _ statistics: AgentStatistics) -> ByteBuffer {
    state.withLock { state in
      var body = ByteBufferAllocator().buffer(capacity: state.bytesExpected)
      state.exposition.write(snapshot, statistics, pieceBytes: Self.pieceBytes) { piece in
        // SAFETY: the bytes are copied before the piece ends.
        unsafe piece.withUnsafeBytes { _ = unsafe body.writeBytes($0) }
      }
      state.bytesExpected = body.readableBytes + 4_096
      return body
    }
  }
}
