import HTTPServer
import HostRules
import NIOHTTP1
import Testing

@testable import FunctionHost

@Suite struct `What a host takes of its peers` {
  @Test(arguments: [(64, 32), (256, 32), (1_024, 459), (20_000, 11_844), (1 << 30, 65_536)])
  func `keeps files back from callers`(_ openFiles: Int, _ connectionsMax: Int) {
    #expect(FrontLimits.connectionsMax(openFiles: openFiles) == connectionsMax)
  }

  @Test(
    arguments: [
      (.GET, "/2018-06-01/runtime/invocation/next", 0), (.GET, "/2020-01-01/extension/event/next", 0),
      (.POST, "/2018-06-01/runtime/invocation/x/response", 16 << 20),
      (.POST, "/2018-06-01/runtime/invocation/x/error", 16 << 20),
      (.POST, "/2018-06-01/runtime/init/error", 16 << 20), (.PUT, "/2022-07-01/telemetry", 256 << 10),
      (.POST, "/2020-01-01/extension/register", 256 << 10), (.GET, "/2018-06-01/ping", 0),
    ] as [(HTTPMethod, String, Int)])
  func `reads of an instance what its call needs`(_ method: HTTPMethod, _ path: String, _ bytes: Int) throws {
    let route = try #require(InstanceRoutes.table.find(method, target: path).position)
    #expect(InstanceRoutes.table.limits(of: route).bodyBytesMax == bytes)
  }

  @Test func `shares memory among a function's instances, and among all of them`() {
    let bodies = HostBodies(functions: 6)
    let indices = (0..<6).map { FunctionIndex(position: $0) }
    let large = 16 << 20
    // Three quarters of 64 MiB each, and of 256 MiB in all.
    let taken = indices.map { index in
      (0..<4).filter { _ in bodies.instances(of: index).reserve(large, of: large) }.count
    }
    #expect(taken == [3, 3, 3, 3, 0, 0])
    #expect(bodies.callers.bytesUsed == 0)
    #expect(bodies.callers(of: indices[0]).reserve(large, of: large))
    #expect(bodies.callers.bytesUsed == large)
  }
}
