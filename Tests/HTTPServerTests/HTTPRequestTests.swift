import HTTPServer
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@Suite struct `HTTP request tests` {
  private func request(_ target: String) -> HTTPRequest {
    HTTPRequest(
      method: .GET, target: target, headers: HTTPHeaders(), body: ByteBuffer(), isKeepAlive: true, remoteAddress: nil,
      connectionClosed: MultiThreadedEventLoopGroup.singleton.any().makeSucceededVoidFuture())
  }

  @Test(
    arguments: [
      ("/", "/", nil), ("/a/b", "/a/b", nil), ("/a?b=c?d", "/a", "b=c?d"), ("/a?", "/a", ""),
      ("http://host/a?b", "/a", "b"), ("https://host", "", nil), ("http://host?q", "", "q"), ("*", "*", nil),
      ("", "", nil),
    ] as [(String, String, String?)])
  func `splits a target into path and query`(_ target: String, _ path: String, _ query: String?) {
    #expect(request(target).path == path)
    #expect(request(target).query == query)
  }

  @Test(
    arguments: [
      ("/", []), ("/?a=1&b&&c=x+y%26=", [("a", "1"), ("b", nil), ("c", "x y&=")]), ("/?a=%", nil), ("/?%ff=1", nil),
      ("/?=", [("", "")]),
    ] as [(String, [(String, String?)]?)])
  func `decodes query items or says that it cannot`(_ target: String, _ items: [(String, String?)]?) {
    #expect(request(target).queryItems == items.map { $0.map { HTTPQueryItem(name: $0.0, value: $0.1) } })
  }
}
