package import AWSClient
import Synchronization

/// Answers as it is told, and keeps what it was asked.
package final class FakeTransport: Transport {
  /// What it answers to a request.
  package typealias Answer = @Sendable (HTTPExchange) throws(AWSClientError) -> HTTPResult

  private let log = Mutex<[HTTPExchange]>([])
  private let answer: Answer

  /// Answers what `answer` says.
  package init(_ answer: @escaping Answer) { self.answer = answer }

  /// Answers one after the other; the last one for ever.
  package convenience init(_ results: [HTTPResult]) {
    let queue = Queue(results)
    self.init { _ throws(AWSClientError) in queue.next() }
  }

  /// Nobody is there.
  package convenience init() {
    self.init { _ throws(AWSClientError) in
      throw AWSClientError(.unreachable, "Nobody is there.", isConnectionFailure: true)
    }
  }

  private final class Queue: Sendable {
    private let rest: Mutex<[HTTPResult]>
    init(_ results: [HTTPResult]) { rest = Mutex(results) }
    func next() -> HTTPResult { rest.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] } }
  }

  /// Every request so far.
  package var asked: [HTTPExchange] { log.withLock { $0 } }

  /// See `Transport`.
  package func send(_ exchange: HTTPExchange) async throws(AWSClientError) -> HTTPResult {
    log.withLock { $0.append(exchange) }
    return try answer(exchange)
  }
}

extension HTTPResult {
  /// Makes a result with a text as its body.
  package init(_ status: Int, _ text: String = "", _ headers: [Header] = []) {
    self.init(status: status, headers: headers, body: Array(text.utf8))
  }

  /// An error as AWS answers it.
  package static func refusal(_ status: Int, _ code: String, _ body: String, _ more: [Header] = []) -> HTTPResult {
    HTTPResult(status, body, [Header("x-amzn-ErrorType", code)] + more)
  }
}

/// The error that `work` throws, if it throws one of this room's.
package func failure<Result>(_ work: () async throws -> Result) async -> AWSClientError? {
  do {
    _ = try await work()
    return nil
  } catch {
    return error as? AWSClientError
  }
}
