import Glibc
import Synchronization

/// A terminal in raw mode with the alternate screen and no cursor. ``leave()`` restores all of it.
///
/// Standard output is the screen; keys come from standard input if that is a terminal, too, else there are none. There is
/// one session at a time, used from one thread; only ``Waker`` may be called from others.
package final class TerminalSession {
  /// What a session waits for.
  package enum Event: Hashable, Sendable {
    /// A key was pressed.
    case key(Key)
    /// The screen has another size, or its content is gone.
    case resized
    /// ``Waker/wake()`` was called.
    case woken
    /// Somebody asks to stop for a while (`SIGTSTP`).
    case suspended
    /// The program is to end, by this signal.
    case ended(by: Int32)
  }

  /// Wakes a session that waits for events.
  ///
  /// Has its pipe together with the session: while one of them is left, both ends are open, so that a call which comes after
  /// the session reaches no other file, and no signal says that nobody reads.
  package final class Waker: Sendable {
    let readingEnd: Int32
    let writingEnd: Int32

    /// - Returns: `nil` if the process has no descriptors left.
    init?() {
      var ends: [Int32] = [0, 0]
      guard unsafe pipe(&ends) == 0 else { return nil }
      for end in ends {
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      }
      (readingEnd, writingEnd) = (ends[0], ends[1])
    }

    deinit {
      close(readingEnd)
      close(writingEnd)
    }

    /// May be called from any thread. Does nothing while the session has more than enough to wake up for, or is gone.
    package func wake() { SignalPipe.write(0, to: writingEnd) }
  }

  /// Wakes this session.
  package let waker: Waker
  private let hasKeys = isatty(STDIN_FILENO) == 1
  private var decoder = KeyDecoder()
  /// How the terminal was set before; `nil` while it is not ours.
  private var settings: termios?
  private var isEntered = false

  /// Whether standard output is a terminal that can be drawn on.
  package static var isPossible: Bool {
    guard isatty(STDOUT_FILENO) == 1, let name = unsafe getenv("TERM") else { return false }
    let text = unsafe String(cString: name)
    return !text.isEmpty && text != "dumb"
  }

  /// Makes what the session needs; ``enter()`` takes the terminal.
  ///
  /// - Returns: `nil` if the process has no descriptors left.
  package init?() {
    guard let waker = Waker() else { return nil }
    self.waker = waker
  }

  deinit { leave() }

  /// The size of the screen as it is now; 80 by 24 where the terminal does not tell.
  package var size: TerminalSize {
    var size = winsize()
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return TerminalSize(columns: 80, rows: 24)
    }
    return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
  }

  /// Takes the terminal, and the signals that would end the process without giving it back.
  package func enter() {
    guard !isEntered else { return }
    isEntered = true
    SignalPipe.install(waker.writingEnd)
    if hasKeys {
      var before = termios()
      if unsafe tcgetattr(STDIN_FILENO, &before) == 0 {
        settings = before
        var raw = before
        unsafe cfmakeraw(&raw)
        // Line feeds of messages that others write meanwhile stay what they are.
        raw.c_oflag = before.c_oflag
        unsafe _ = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
      }
    }
    // The alternate screen, without a cursor, and without wrapping at its edge.
    write(Array("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l".utf8))
  }

  /// Gives the terminal back as it was, and the signals.
  package func leave() {
    guard isEntered else { return }
    isEntered = false
    write(Array("\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l".utf8))
    if var before = settings {
      unsafe _ = tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
      settings = nil
    }
    SignalPipe.remove()
  }

  /// Gives the terminal back and ends the process by a signal, so that its parent process sees how it ended.
  package func end(by signal: Int32) -> Never {
    leave()
    SignalPipe.deliver(signal)
    // Only where the signal is ignored.
    exit(128 + signal)
  }

  /// Gives the terminal back, stops the process until it is continued, and takes the terminal again.
  package func suspend() {
    leave()
    SignalPipe.deliver(SIGTSTP)
    enter()
  }

  /// Writes to the screen, all of it. If the terminal is gone, an event says so.
  package func write(_ bytes: [UInt8]) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(
          STDOUT_FILENO, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN {
        // Standard output may share its flags with a descriptor that somebody made non-blocking.
        var wait = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        unsafe _ = poll(&wait, 1, -1)
        continue
      }
      guard count > 0 else { return SignalPipe.write(UInt8(SIGHUP), to: waker.writingEnd) }
      written += count
    }
  }

  /// Waits until something happens.
  package func events() -> [Event] {
    while true {
      var descriptors = [pollfd(fd: waker.readingEnd, events: Int16(POLLIN), revents: 0)]
      if hasKeys { descriptors.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)) }
      let patience = decoder.isWaiting ? Int32(KeyDecoder.patience / .milliseconds(1)) : -1
      let count = unsafe poll(&descriptors, nfds_t(descriptors.count), patience)
      if count < 0, errno == EINTR { continue }
      if count == 0 {
        let keys = decoder.giveUp()
        if !keys.isEmpty { return keys.map(Event.key) }
        continue
      }
      var events = descriptors[0].revents == 0 ? [] : signalEvents()
      if hasKeys, descriptors[1].revents != 0 { events += keyEvents() }
      if !events.isEmpty { return events }
    }
  }

  private func keyEvents() -> [Event] {
    var bytes = [UInt8](repeating: 0, count: 1_024)
    let count = unsafe read(STDIN_FILENO, &bytes, bytes.count)
    if count < 0, errno == EINTR || errno == EAGAIN { return [] }
    // Without a terminal there is nobody to show anything to.
    guard count > 0 else { return [.ended(by: SIGHUP)] }
    return decoder.decode(bytes[..<count]).map(Event.key)
  }

  private func signalEvents() -> [Event] {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = unsafe read(waker.readingEnd, &bytes, bytes.count)
    guard count > 0 else { return [] }
    // Each once: a size that changed twice is one size.
    return Set(bytes[..<count]).sorted().map { number in
      switch Int32(number) {
      case 0: return .woken
      case SIGWINCH: return .resized
      case SIGTSTP: return .suspended
      case SIGCONT:
        // Whoever stopped the process without asking left the terminal to others meanwhile.
        isEntered = false
        enter()
        return .resized
      default: return .ended(by: Int32(number))
      }
    }
  }
}

/// Brings signals to the thread that waits for events: a handler may do hardly more than write a byte.
private enum SignalPipe {
  private static let descriptor = Atomic<Int32>(-1)
  private static let ending = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
  private static let telling = [SIGWINCH, SIGTSTP, SIGCONT]

  static func install(_ end: Int32) {
    // Also makes sure that a handler finds it initialized.
    descriptor.store(end, ordering: .sequentiallyConsistent)
    // A second one ends the process at once, should it be stuck.
    for number in ending { handle(number, flags: Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART) }
    for number in telling { handle(number, flags: SA_RESTART) }
  }

  static func remove() {
    for number in ending + telling { _ = signal(number, SIG_DFL) }
    descriptor.store(-1, ordering: .sequentiallyConsistent)
  }

  /// Does to this process what the signal does by default.
  static func deliver(_ number: Int32) {
    // A thread of Dispatch's pool, which this may be, blocks signals.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, number)
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    raise(number)
  }

  static func write(_ byte: UInt8, to descriptor: Int32) {
    var byte = byte
    // A full pipe wakes up, too.
    unsafe _ = Glibc.write(descriptor, &byte, 1)
  }

  private static func handle(_ number: Int32, flags: Int32) {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { number in
      let before = errno
      SignalPipe.write(UInt8(truncatingIfNeeded: number), to: SignalPipe.descriptor.load(ordering: .relaxed))
      errno = before
    }
    action.sa_flags = flags
    unsafe _ = sigaction(number, &action, nil)
  }
}
