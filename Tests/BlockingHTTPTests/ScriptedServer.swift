import Foundation
import Synchronization

/// A server on a loopback port that answers its connections as written beforehand, one after the other.
final class ScriptedServer: Sendable {
  enum Step: Sendable {
    /// Waits for a whole request, then writes.
    case answer(String)
    /// Waits for a whole request, then writes each piece by itself.
    case answerInPieces([String])
    /// Waits for the head of a request and does nothing until the client closes.
    case keepSilent
    /// Waits for a whole request and closes without an answer.
    case hangUp
  }

  private let seen = Mutex<[String]>([])
  private let closed = Mutex(0)
  let port: UInt16

  /// The requests so far, as text.
  var requests: [String] { seen.withLock { $0 } }

  /// How many connections are over.
  var closedConnections: Int { closed.withLock { $0 } }

  /// - Parameter connections: The steps of each connection, which is closed behind its last.
  init(_ connections: [[Step]]) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = unsafe bind(listener, $0, length)
        _ = unsafe getsockname(listener, $0, &length)
      }
    }
    listen(listener, 16)
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in
      for steps in connections {
        let descriptor = accept(listener, nil, nil)
        for step in steps { play(step, descriptor) }
        close(descriptor)
        closed.withLock { $0 += 1 }
      }
      close(listener)
    }
  }

  private func play(_ step: Step, _ descriptor: Int32) {
    switch step {
    case .answer(let text):
      if readRequest(descriptor) { write(text, descriptor) }
    case .answerInPieces(let pieces):
      if readRequest(descriptor) { for piece in pieces { write(piece, descriptor) } }
    case .keepSilent:
      _ = readRequest(descriptor)
      _ = readSome(descriptor)
    case .hangUp: _ = readRequest(descriptor)
    }
  }

  private func readRequest(_ descriptor: Int32) -> Bool {
    var bytes: [UInt8] = []
    while true {
      let text = String(decoding: bytes, as: UTF8.self)
      if let end = text.range(of: "\r\n\r\n") {
        let length = text.range(of: "Content-Length: ").flatMap { Int(text[$0.upperBound...].prefix { $0.isNumber }) }
        if text[end.upperBound...].utf8.count >= length ?? 0 {
          seen.withLock { $0.append(text) }
          return true
        }
      }
      let more = readSome(descriptor)
      if more.isEmpty { return false }
      bytes += more
    }
  }

  private func readSome(_ descriptor: Int32) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = unsafe read(descriptor, &buffer, buffer.count)
    return Array(buffer.prefix(max(0, count)))
  }

  private func write(_ text: String, _ descriptor: Int32) {
    let bytes = Array(text.utf8)
    _ = unsafe send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }
}
