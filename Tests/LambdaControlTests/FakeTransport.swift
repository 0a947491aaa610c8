import Synchronization

@testable import LambdaControl

/// Answers as it is told, and keeps what it was asked.
final class FakeTransport: Transport {
  typealias Answer = @Sendable (HTTPExchange) throws(LambdaError) -> HTTPResult

  private let log = Mutex<[HTTPExchange]>([])
  private let answer: Answer

  init(_ answer: @escaping Answer) { self.answer = answer }

  /// Answers one after the other; the last one for ever.
  convenience init(_ results: [HTTPResult]) {
    let queue = Queue(results)
    self.init { _ throws(LambdaError) in queue.next() }
  }

  /// Nobody is there.
  convenience init() {
    self.init { _ throws(LambdaError) in throw LambdaError(.unreachable, "Nobody is there.") }
  }

  private final class Queue: Sendable {
    private let rest: Mutex<[HTTPResult]>
    init(_ results: [HTTPResult]) { rest = Mutex(results) }
    func next() -> HTTPResult { rest.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] } }
  }

  var asked: [HTTPExchange] { log.withLock { $0 } }

  func send(_ exchange: HTTPExchange) async throws(LambdaError) -> HTTPResult {
    log.withLock { $0.append(exchange) }
    return try answer(exchange)
  }
}

extension HTTPResult {
  init(_ status: Int, _ text: String = "", _ headers: [Header] = []) {
    self.init(status: status, headers: headers, body: Array(text.utf8))
  }

  /// An error as AWS answers it.
  static func refusal(_ status: Int, _ code: String, _ body: String, _ more: [Header] = []) -> HTTPResult {
    HTTPResult(status, body, [Header("x-amzn-ErrorType", code)] + more)
  }
}

/// The error that `work` throws, if it throws one of this room's.
func failure<Result>(_ work: () async throws -> Result) async -> LambdaError? {
  do {
    _ = try await work()
    return nil
  } catch {
    return error as? LambdaError
  }
}
