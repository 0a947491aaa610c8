import BlockingHTTP
import Documents
import Foundation
import Glibc
import Lifecycle
import LifecycleWire
import TestSupport
import Testing

@testable import Agent

@Suite struct `The intake of events` {
  private let fixture = AgentFixture()

  private static let line =
    #"{"event":"invocationFinished","function":"f","request":"00000000000000000000000000000001","start":1,"duration":1,"#
    + #""outcome":"success"}"#

  private func post(
    _ client: Client, _ body: [UInt8], _ type: String?, _ query: String = ""
  ) throws -> (status: Int, code: String?, headers: BlockingHTTP.HTTPHeaders) {
    let connection = HTTPConnection(try HTTPEndpoint("127.0.0.1:\(client.port)"))
    defer { connection.close() }
    var headers: BlockingHTTP.HTTPHeaders = [:]
    if let type { headers.append("Content-Type", type) }
    let reply = try connection.send("POST", "/v1/events\(query)", headers: headers, body: body)
    return (reply.status, (try? ErrorDocument(json: reply.body))?.code, reply.headers)
  }

  @Test func `refuses what it cannot read before anything else`() async throws {
    try await fixture.withAgent { _, client in
      let lines = "application/x-ndjson"
      let protobuf = "application/x-protobuf"
      for (body, type, query, status, code) in [
        ("{}", nil, "", 415, "unsupported-type"), ("{}", "text/plain", "", 415, "unsupported-type"),
        ("{}", lines, "?functoin=f", 400, "invalid-parameter"), ("{}", lines, "?function=", 400, "invalid-parameter"),
        ("{}", lines, "?instance=i-1", 400, "invalid-parameter"),
        ("{}", lines, "?function=%zz", 400, "invalid-parameter"),
        ("", protobuf, "?function=f", 400, "invalid-parameter"), ("", protobuf, "", 400, "invalid-batch"),
        ("?", protobuf, "", 400, "invalid-batch"), (#"{"source":"x","sequence":1}"#, lines, "", 400, "invalid-batch"),
        (String(repeating: "{}\n", count: 10_001), lines, "", 413, "too-many-events"),
      ] as [(String, String?, String, Int, String)] {
        let answer = try post(client, Array(body.utf8), type, query)
        #expect(answer.status == status && answer.code == code, "\(type ?? "no type") \(query) \(body.prefix(40))")
      }
    }
  }

  @Test func `promises nothing without a journal`() async throws {
    try await fixture.withAgent { agent, client in
      let answer = try post(client, Array(Self.line.utf8), "application/x-ndjson; charset=utf-8")
      #expect(answer.status == 503 && answer.code == "no-journal")
      #expect(answer.headers["Retry-After"] == "60")
      #expect(try client.windows("range=1m").windows.allSatisfy { $0.invocations == 0 })
      #expect(agent.sources().sources.map(\.source) == ["_other"])
    }
  }

  /// What the agent answers through its socket.
  private func ask(_ path: String) -> String {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8.prefix(100)) }
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { return "no connection" }
    let request = Array("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
    _ = unsafe send(descriptor, request, request.count, 0)
    var answer: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = unsafe recv(descriptor, &part, part.count, 0)
      guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
      answer += part[..<count]
    }
  }

  @Test func `answers at a socket that is its user's alone, and that goes with it`() async throws {
    let path = "/tmp/kelvin-\(UUID().uuidString.prefix(8)).socket"
    var configuration = fixture.configuration
    configuration.socketPath = path
    // What a process left behind that was killed.
    let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    unsafe withUnsafePointer(to: &address) { pointer in
      _ = unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(stale, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    close(stale)
    try await fixture.withAgent(configuration) { _, _ in
      #expect(ask(path).hasPrefix("HTTP/1.1 200"))
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      let other = AgentFixture()
      var second = other.configuration
      second.socketPath = path
      let error = await #expect(throws: AgentError.self) { try await other.makeAgent(second).start() }
      #expect(error?.code == .listen)
      #expect(error?.message.contains("is in use") == true)
      #expect(ask(path).hasPrefix("HTTP/1.1 200"))
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
    let error = await #expect(throws: AgentError.self) { try await fixture.makeAgent(configuration).start() }
    #expect(error?.message.contains("a file that is no socket") == true)
    try FileManager.default.removeItem(atPath: path)
  }
}
