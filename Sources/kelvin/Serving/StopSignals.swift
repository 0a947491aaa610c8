import Dispatch
import Glibc
import Synchronization

/// SIGINT and SIGTERM: the first asks for a graceful stop, the second ends the process at once. SIGHUP: reads the configuration
/// again.
///
/// A service group can take one of the two meanings for a signal, not one after the other; so the signals are taken here.
final class StopSignals {
  private let sources: [any DispatchSourceSignal]

  /// Takes the signals from now on, for the rest of the process.
  ///
  /// - Parameters:
  ///   - stop: Asks for a graceful stop; called once at most, but for a terminal that goes away.
  ///   - reload: Asks for another look at the configuration, for each SIGHUP; `nil`: the signal does what it does elsewhere.
  init(stop: @escaping @Sendable () async -> Void, reload: (@Sendable () async -> Void)? = nil) {
    let queue = DispatchQueue(label: "kelvin.signals")
    let count = SignalCount()
    // The kernel sends the same signal when the terminal goes away, with which a program in it ends.
    let hadTerminal = StopSignals.hasTerminal
    let hangup = reload.map { reload in
      signal(SIGHUP, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: queue)
      source.setEventHandler {
        let isClosed = hadTerminal && !StopSignals.hasTerminal
        Task { if isClosed { await stop() } else { await reload() } }
      }
      source.resume()
      return source
    }
    let stops = [SIGINT, SIGTERM].map { number in
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
    sources = stops + (hangup.map { [$0] } ?? [])
  }

  /// Whether the process has a controlling terminal, wherever its output goes.
  private static var hasTerminal: Bool {
    let terminal = unsafe open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else { return false }
    close(terminal)
    return true
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
