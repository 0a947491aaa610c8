internal import Dispatch
internal import WindowStore

/// A thread on which a store, or a journal, is opened, written and closed, one call after another. Readers have other threads, so no
/// checkpoint waits for a slow one.
final class StoreThread: Sendable {
  private let queue: DispatchQueue

  init(label: String) { queue = DispatchQueue(label: label) }

  /// Runs what blocks on a thread that may wait. A cancelled task waits for it all the same, so that a checkpoint is never
  /// taken for one that failed.
  ///
  /// - Throws: What `body` throws.
  func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws(StoreError) -> Value
  ) async throws(StoreError) -> Value {
    let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      queue.async {
        do throws(StoreError) {
          continuation.resume(returning: .success(try body()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }
}
