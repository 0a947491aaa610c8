internal import Catalogue
internal import HTTPServer
internal import NIOCore
internal import NIOHTTP1
internal import Prometheus
internal import Synchronization
internal import Windows

/// Writes scrapes; reuses the memory of earlier ones.
final class MetricsWriters: Sendable {
  /// More scrapes at once than this are also served, but their memory is freed after them.
  private static let keptLimit = 4
  private let idle = Mutex<[MetricsWriter]>([])

  func page(_ snapshot: Snapshot, _ statistics: AgentStatistics, _ wish: MetricsWish) -> HTTPResponse {
    let writer = idle.withLock { $0.popLast() } ?? MetricsWriter()
    defer { idle.withLock { idle in if idle.count < Self.keptLimit { idle.append(writer) } } }
    return writer.page(snapshot, statistics, wish)
  }
}

/// How a scraper wants to be answered.
struct MetricsWish {
  var format: NegotiatedFormat
  var options: ExpositionOptions
  var takesGzip: Bool

  /// - Throws: ``QueryProblem`` for a value of `created` that means nothing. Other parameters are ignored: those of a
  ///   scraper's configuration may be meant for all of its targets.
  init(_ headers: HTTPHeaders, _ items: [HTTPQueryItem]) throws(QueryProblem) {
    format = NegotiatedFormat(accept: headers["Accept"])
    takesGzip = AcceptEncoding.takesGzip(headers["Accept-Encoding"])
    options = []
    for item in items where item.name == "created" {
      switch item.value {
      case "true", "1": options.insert(.created)
      case "false", "0": options.remove(.created)
      default: throw QueryProblem("created", item.value ?? "", "must be true or false")
      }
    }
  }
}

/// Writes one scrape at a time.
final class MetricsWriter: Sendable {
  private struct State: ~Copyable {
    var exposition = Exposition()
    /// The size of the last page that was not compressed.
    var bytesExpected = 65_536
  }

  /// A page is handed out in pieces, so that a scrape of ten thousand functions never lies in memory whole, unless its
  /// reader does not take gzip.
  private static let pieceBytes = 262_144
  private let state = Mutex(State())

  func page(_ snapshot: Snapshot, _ statistics: AgentStatistics, _ wish: MetricsWish) -> HTTPResponse {
    var response = HTTPResponse(
      status: .ok, headers: ["Content-Type": wish.format.contentType, "Vary": "Accept, Accept-Encoding"])
    if wish.takesGzip, let body = compressed(snapshot, statistics, wish) {
      response.headers.add(name: "Content-Encoding", value: "gzip")
      response.body = body
    } else {
      response.body = plain(snapshot, statistics, wish)
    }
    return response
  }

  private func compressed(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, _ wish: MetricsWish
  ) -> ByteBuffer? {
    guard let gzip = Gzip.begin() else { return nil }
    state.withLock { state in
      state.exposition.write(
        snapshot, statistics, as: wish.format.format, wish.options, pieceBytes: Self.pieceBytes
      ) { gzip.append($0) }
    }
    return gzip.finish()
  }

  private func plain(_ snapshot: Snapshot, _ statistics: AgentStatistics, _ wish: MetricsWish) -> ByteBuffer {
    state.withLock { state in
      var body = ByteBufferAllocator().buffer(capacity: state.bytesExpected)
      state.exposition.write(
        snapshot, statistics, as: wish.format.format, wish.options, pieceBytes: Self.pieceBytes
      ) { piece in
        // SAFETY: the bytes are copied before the piece ends.
        unsafe piece.withUnsafeBytes { _ = unsafe body.writeBytes($0) }
      }
      state.bytesExpected = body.readableBytes + 4_096
      return body
    }
  }
}
