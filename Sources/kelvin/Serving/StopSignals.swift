import Dispatch
import Glibc
import Synchronization

/// SIGINT and SIGTERM: the first asks for a graceful stop, the second ends the process at once.
///
/// A service group can take one of the two meanings for a signal, not one after the other; so the signals are taken here.
final class StopSignals {
  private let sources: [any DispatchSourceSignal]

  /// Takes both signals from now on, for the rest of the process.
  ///
  /// - Parameter stop: Asks for a graceful stop; called once at most.
  init(stop: @escaping @Sendable () async -> Void) {
    let queue = DispatchQueue(label: "kelvin.signals")
    let count = SignalCount()
    sources = [SIGINT, SIGTERM].map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        switch count.next() {
        case 1:
          Console.message("kelvin: stopping; press Ctrl-C again to end at once.")
          // Ends when the graceful stop does; the process ends with it.
          Task { await stop() }
        default:
          Console.message("kelvin: ending at once.")
          // Instances end with their host: the launcher asked the kernel for that.
          _exit(128 + number)
        }
      }
      source.resume()
      return source
    }
  }

  private final class SignalCount: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
      count.withLock {
        $0 += 1
        return $0
      }
    }
  }
}
