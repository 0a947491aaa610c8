import Glibc

/// A TCP connection to a port on loopback that sends and reads raw bytes. Reading gives up after 10 s.
final class RawConnection {
  private let descriptor: Int32
  private var received: [UInt8] = []
  private var isEnded = false

  init?(port: Int) {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = unsafe withUnsafePointer(to: address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { return nil }
  }

  deinit { close(descriptor) }

  /// Sends nothing more, and reads on.
  func closeSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Sends all of it, or as much as the peer takes before it closes.
  @discardableResult func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  @discardableResult func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.send(
          descriptor, buffer.baseAddress! + sent, buffer.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// One answer: its status line, its header lines in lower case, its body by Content-Length. Nil once the peer closed.
  func response(hasBody: Bool = true) -> Response? {
    while true {
      if let end = headEnd {
        let lines = String(decoding: received[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
        let headers = lines.dropFirst().map { $0.lowercased() }
        let length = headers.first { $0.hasPrefix("content-length: ") }.flatMap { Int($0.dropFirst(16)) } ?? 0
        let total = end + 4 + (hasBody ? length : 0)
        if received.count >= total {
          let body = String(decoding: received[(end + 4)..<total], as: UTF8.self)
          received.removeFirst(total)
          return Response(statusLine: lines.first ?? "", headers: Array(headers), body: body)
        }
      }
      guard receive() else { return nil }
    }
  }

  /// The next bytes, as text. Nil once the peer closed.
  func bytes(_ count: Int) -> String? {
    while received.count < count {
      guard receive() else { return nil }
    }
    defer { received.removeFirst(count) }
    return String(decoding: received[..<count], as: UTF8.self)
  }

  /// Whether the peer closed the connection, with nothing more sent before; waits for it.
  func isClosedByPeer() -> Bool {
    while receive() {}
    return isEnded && received.isEmpty
  }

  /// Whether the peer reset the connection; waits for its end.
  func isReset() -> Bool {
    while receive() {}
    return isEnded && errno == ECONNRESET
  }

  private var headEnd: Int? {
    guard received.count >= 4 else { return nil }
    return (0...(received.count - 4)).first { received[$0..<($0 + 4)].elementsEqual([13, 10, 13, 10]) }
  }

  private func receive() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    if count == 0 || count < 0 && errno == ECONNRESET { isEnded = true }
    guard count > 0 else { return false }
    received.append(contentsOf: buffer[..<count])
    return true
  }
}

struct Response: Equatable {
  var statusLine: String
  var headers: [String]
  var body: String

  var status: Int? { statusLine.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
}
