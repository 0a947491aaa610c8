internal import Glibc
internal import HTTPServer
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization
internal import WebPage

/// The files of the page: its own, which are built into the program, and the chart library, which is where its package
/// installs it.
final class PageAssets: Sendable {
  /// A file, ready to be sent.
  private struct Asset: Sendable {
    var type: String
    var tag: String
    var plain: ByteBuffer
    var compressed: ByteBuffer?
  }

  /// What the page may do: load what this server has, and nothing else.
  static let policy = """
    default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'
    """

  /// A file of the page.
  enum File: Hashable, Sendable {
    case page
    case script
    case style
    case charts
  }

  private let chartsDirectory: String
  private let prepared = Mutex<[File: Asset]>([:])

  init(chartsDirectory: String) { self.chartsDirectory = chartsDirectory }

  /// Answers one of the four files of the page. Reads a file the first time, so it may block.
  func answer(_ file: File, _ request: HTTPRequest) -> HTTPResponse {
    let asset = prepared.withLock { $0[file] } ?? prepare(file)
    var response = HTTPResponse(
      status: .ok,
      headers: [
        "Content-Type": asset.type, "Cache-Control": "no-cache", "ETag": asset.tag, "Vary": "Accept-Encoding",
        "Content-Security-Policy": Self.policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
      ])
    if request.headers["If-None-Match"].contains(where: { Self.names(asset.tag, in: $0) }) {
      response.status = .notModified
    } else if let compressed = asset.compressed, AcceptEncoding.takesGzip(request.headers["Accept-Encoding"]) {
      response.headers.add(name: "Content-Encoding", value: "gzip")
      response.body = compressed
    } else {
      response.body = asset.plain
    }
    return response
  }

  private func prepare(_ file: File) -> Asset {
    let (type, bytes) = content(file)
    let asset = Asset(
      type: type, tag: Self.tag(bytes), plain: ByteBuffer(bytes: bytes), compressed: Gzip.compress(bytes.span))
    prepared.withLock { $0[file] = asset }
    return asset
  }

  private func content(_ file: File) -> (type: String, bytes: [UInt8]) {
    switch file {
    case .script: return (WebPage.script.type, WebPage.script.bytes)
    case .style: return (WebPage.style.type, WebPage.style.bytes)
    case .charts:
      let missing = Array("// The library for charts, libjs-dygraphs, is not installed: the page shows tables.\n".utf8)
      return (WebPage.script.type, Self.file(chartsDirectory + "/dygraph.min.js") ?? missing)
    case .page: return (WebPage.page.type, WebPage.page.bytes)
    }
  }

  /// A file of at most 4 MiB; `nil` if it cannot be read.
  private static func file(_ path: String) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let limit = 4 << 20
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      let piece = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
        // SAFETY: at most as many bytes are written as the buffer has.
        count = unsafe max(0, read(descriptor, buffer.baseAddress, buffer.count))
      }
      guard !piece.isEmpty else { return bytes.isEmpty ? nil : bytes }
      bytes += piece
    }
    return nil
  }

  /// Weak, because the same tag stands for the file with and without compression (RFC 9110, section 8.8.1).
  private static func tag(_ bytes: [UInt8]) -> String {
    // FNV-1a: tells versions of a file apart, which is all that it is for.
    let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return "W/\"\(String(hash, radix: 16))\""
  }

  private static func names(_ tag: String, in field: String) -> Bool {
    field.split(separator: ",").contains { element in
      let named = element.drop { $0 == " " }
      return named == "*" || named == tag || "W/" + named == tag
    }
  }
}
