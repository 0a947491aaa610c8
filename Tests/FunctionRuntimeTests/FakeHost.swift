import BlockingHTTP
import Foundation
import Synchronization
import Testing

@testable import FunctionRuntime

/// A Runtime API on a loopback port that hands out events as a test says and keeps what it is told.
final class FakeHost: Sendable {
  struct Request: Sendable, Equatable {
    var method: String
    var path: String
    var headers: [String: String]
    var body: String
  }

  struct Event: Sendable {
    var id: String
    var body = ""
    /// From the hand-over on; nil sends no deadline.
    var secondsLeft: Double? = 60
    /// Of the attempt.
    var attempt: String?
  }

  private struct State {
    var requests: [Request] = []
    var events: [Event] = []
    var isStopped = false
  }

  private let state = Mutex(State())
  private let isKelvin: Bool
  private let port: UInt16

  /// - Parameter isKelvin: Whether Kelvin's own paths are known.
  init(isKelvin: Bool = true) {
    self.isKelvin = isKelvin
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
    listen(listener, 64)
    port = UInt16(bigEndian: address.sin_port)
    // The listener ends with the test process: a test is over when its function has ended.
    Thread.detachNewThread { [self] in
      while case let descriptor = accept(listener, nil, nil), descriptor >= 0 {
        Thread.detachNewThread { [self] in serve(descriptor) }
      }
    }
  }

  var requests: [Request] { state.withLock { $0.requests } }
  var paths: [String] { requests.map { "\($0.method) \($0.path)" } }
  func send(_ event: Event) { state.withLock { $0.events.append(event) } }
  /// Answers `next` with 500 from now on, so that a function ends.
  func stop() { state.withLock { $0.isStopped = true } }

  func endpoint() throws -> HTTPEndpoint { try HTTPEndpoint(host: "127.0.0.1", port: port) }

  /// Waits until a request came, and returns it.
  func request(_ method: String, _ path: String, sourceLocation: SourceLocation = #_sourceLocation) async throws
    -> Request
  {
    let found = try await eventually { self.requests.last { $0.method == method && $0.path == path } }
    return try #require(found, "\(method) \(path) never came; what came: \(paths)", sourceLocation: sourceLocation)
  }

  func error(of id: String) async throws -> Request {
    try await request("POST", "/2018-06-01/runtime/invocation/\(id)/error")
  }

  func response(to id: String) async throws -> Request {
    try await request("POST", "/2018-06-01/runtime/invocation/\(id)/response")
  }

  private func serve(_ descriptor: Int32) {
    var bytes: [UInt8] = []
    while let request = readRequest(descriptor, &bytes) {
      state.withLock { $0.requests.append(request) }
      let reply = Array(answer(request).utf8)
      _ = unsafe Glibc.send(descriptor, reply, reply.count, Int32(MSG_NOSIGNAL))
    }
    close(descriptor)
  }

  private func answer(_ request: Request) -> String {
    if request.path.hasSuffix("/invocation/next") { return nextEvent() }
    let isKnown = isKelvin || !request.path.hasPrefix("/kelvin/")
    return isKnown
      ? "HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n\r\n{\"status\":\"OK\"}\n"
      : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
  }

  private func nextEvent() -> String {
    while true {
      let (event, isStopped) = state.withLock { state in
        (state.events.isEmpty ? nil : state.events.removeFirst(), state.isStopped)
      }
      if let event {
        let deadline = event.secondsLeft.map { seconds in
          "Lambda-Runtime-Deadline-Ms: \(Int((Date().timeIntervalSince1970 + seconds) * 1_000))\r\n"
        }
        let attempt = event.attempt.map { "Lambda-Runtime-Invocation-Id: \($0)\r\n" }
        return "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: \(event.id)\r\n\(deadline ?? "")\(attempt ?? "")"
          + "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:000000000000:function:f\r\n"
          + "Lambda-Runtime-Trace-Id: Root=1-2-3\r\nContent-Type: application/json\r\n"
          + "Content-Length: \(event.body.utf8.count)\r\n\r\n\(event.body)"
      }
      if isStopped { return "HTTP/1.1 500 Stop\r\nContent-Length: 0\r\n\r\n" }
      usleep(500)
    }
  }

  /// A chunked body with the fields behind it, and where it ends; nil if it is not whole.
  private func chunks(_ bytes: ArraySlice<UInt8>) -> (body: String, trailers: [String: String], end: Int)? {
    var rest = bytes
    var body: [UInt8] = []
    func line() -> String? {
      guard let end = rest.firstRange(of: Array("\r\n".utf8)) else { return nil }
      defer { rest = rest[end.upperBound...] }
      return String(decoding: rest[..<end.lowerBound], as: UTF8.self)
    }
    while let size = line().flatMap({ Int($0, radix: 16) }) {
      if size == 0 {
        var trailers: [String: String] = [:]
        while let field = line() {
          guard let colon = field.firstRange(of: ": ") else {
            return (String(decoding: body, as: UTF8.self), trailers, rest.startIndex)
          }
          trailers[field[..<colon.lowerBound].lowercased()] = String(field[colon.upperBound...])
        }
        return nil
      }
      guard rest.count >= size + 2 else { return nil }
      body += rest.prefix(size)
      rest = rest.dropFirst(size + 2)
    }
    return nil
  }

  private func readRequest(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Request? {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let pairs = lines.dropFirst().compactMap { line in
          line.firstRange(of: ": ").map { (line[..<$0.lowerBound].lowercased(), String(line[$0.upperBound...])) }
        }
        var headers = Dictionary(pairs) { first, _ in first }
        if headers["transfer-encoding"] == "chunked" {
          if let (body, trailers, bodyEnd) = chunks(bytes[end.upperBound...]) {
            bytes.removeFirst(bodyEnd - bytes.startIndex)
            headers.merge(trailers) { first, _ in first }
            let words = lines[0].components(separatedBy: " ")
            return Request(method: words[0], path: words[1], headers: headers, body: body)
          }
          let count = unsafe read(descriptor, &buffer, buffer.count)
          guard count > 0 else { return nil }
          bytes += buffer.prefix(count)
          continue
        }
        let bodyEnd = end.upperBound + (Int(headers["content-length"] ?? "0") ?? 0)
        if bytes.count >= bodyEnd {
          let body = String(decoding: bytes[end.upperBound..<bodyEnd], as: UTF8.self)
          bytes.removeFirst(bodyEnd)
          let words = lines[0].components(separatedBy: " ")
          return Request(method: words[0], path: words[1], headers: headers, body: body)
        }
      }
      let count = unsafe read(descriptor, &buffer, buffer.count)
      guard count > 0 else { return nil }
      bytes += buffer.prefix(count)
    }
  }
}

/// Asks again and again, for at most ten seconds.
func eventually<Value>(_ value: () -> Value?) async throws -> Value? {
  let deadline = ContinuousClock.now + .seconds(10)
  while ContinuousClock.now < deadline {
    if let value = value() { return value }
    try await Task.sleep(for: .milliseconds(1))
  }
  return value()
}

/// A function whose parts are closures.
struct TestFunction: Function {
  var onWarmUp: @Sendable () async throws -> Void = {}
  var onEvent: @Sendable ([UInt8], InvocationContext) async throws -> [UInt8] = { event, _ in event }

  init() {}

  init(
    onWarmUp: @escaping @Sendable () async throws -> Void = {},
    onEvent: @escaping @Sendable ([UInt8], InvocationContext) async throws -> [UInt8]
  ) {
    self.onWarmUp = onWarmUp
    self.onEvent = onEvent
  }

  func warmUp() async throws { try await onWarmUp() }
  func handle(_ event: [UInt8], _ context: InvocationContext) async throws -> [UInt8] {
    try await onEvent(event, context)
  }
}

struct OrderIsEmpty: Error, CustomStringConvertible {
  var description: String { "The order is \"empty\"." }
}

/// A function at work on a thread of its own.
final class RunningFunction: Sendable {
  private let status = Mutex<Int32?>(nil)
  private let lines = Mutex<[String]>([])

  var log: [String] { lines.withLock { $0 } }

  init<F: Function>(
    _ host: FakeHost, configuration: FunctionConfiguration = FunctionConfiguration(), overlapLimit: Int = 16,
    make: @escaping @Sendable () async throws -> F
  ) throws {
    let variables = [
      "AWS_LAMBDA_FUNCTION_NAME": "orders", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
      "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency",
    ]
    let loop = FunctionLoop<F>(
      endpoint: try host.endpoint(), environment: FunctionEnvironment { variables[$0] }, configuration: configuration,
      log: { [self] line in lines.withLock { $0.append(line) } }, overlapLimit: overlapLimit)
    Thread.detachNewThread { [self] in
      let result = loop.run(make: make)
      status.withLock { $0 = result }
    }
  }

  func exitStatus() async throws -> Int32? { try await eventually { self.status.withLock { $0 } } }
}

/// Holds tasks back, whether cancelled or not, until it is opened.
final class Gate: Sendable {
  private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

  func pass() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      let waiting = state.waiting
      state.waiting = []
      return waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}
