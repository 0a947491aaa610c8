package import NIOCore
import NIOHTTP1

/// Reads a configuration again and takes over what is different; says in a JSON document what that was, or why nothing changed.
package typealias ConfigurationReload = @Sendable () async -> (succeeded: Bool, document: String)

extension HTTPResponse {
  /// The answer to `POST /-/reload`: 200, or 500 as servers of Prometheus' kind have it.
  package static func reloaded(by reload: @escaping ConfigurationReload, on loop: any EventLoop)
    -> EventLoopFuture<HTTPResponse>
  {
    loop.makeFutureWithTask { await reload() }.map { .json($0.succeeded ? .ok : .internalServerError, $0.document) }
  }
}
