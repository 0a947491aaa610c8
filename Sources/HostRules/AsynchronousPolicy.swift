package import Lifecycle

/// How asynchronous invocations are queued and retried (with AWS's numbers unless configured).
package struct AsynchronousPolicy: Hashable, Sendable {
  /// The waits before an event is given again to a function that failed on it; as many as there are repetitions.
  package var errorDelays: [Nanoseconds]
  /// The first wait after a throttle; doubles up to ``throttleDelayMax``.
  package var throttleDelayMin: Nanoseconds
  /// The longest wait after a throttle.
  package var throttleDelayMax: Nanoseconds
  /// The age at which an event is dropped instead of being given again.
  package var ageMax: Nanoseconds
  /// The most events kept at once.
  package var countLimit: Int
  /// The most bytes of payload kept at once.
  package var bytesLimit: Int

  /// AWS's numbers, and 10,000 events of 64 MiB together, unless said otherwise.
  package init(
    errorDelays: [Nanoseconds] = [.seconds(60), .seconds(120)], throttleDelayMin: Nanoseconds = .seconds(1),
    throttleDelayMax: Nanoseconds = .seconds(300), ageMax: Nanoseconds = .seconds(6 * 3600), countLimit: Int = 10_000,
    bytesLimit: Int = 64 << 20
  ) {
    self.errorDelays = errorDelays
    self.throttleDelayMin = throttleDelayMin
    self.throttleDelayMax = throttleDelayMax
    self.ageMax = ageMax
    self.countLimit = countLimit
    self.bytesLimit = bytesLimit
  }
}
