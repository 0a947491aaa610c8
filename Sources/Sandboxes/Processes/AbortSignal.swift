import Glibc

/// A signal that can tell a program to give up what it is doing, by its name in the system.
package enum AbortSignal: String, CaseIterable, Hashable, Sendable {
  case hangup = "SIGHUP"
  case interrupt = "SIGINT"
  case quit = "SIGQUIT"
  case user1 = "SIGUSR1"
  case user2 = "SIGUSR2"
  case alarm = "SIGALRM"
  case terminate = "SIGTERM"

  var number: Int32 {
    switch self {
    case .hangup: SIGHUP
    case .interrupt: SIGINT
    case .quit: SIGQUIT
    case .user1: SIGUSR1
    case .user2: SIGUSR2
    case .alarm: SIGALRM
    case .terminate: SIGTERM
    }
  }
}
