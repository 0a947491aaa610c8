import Glibc
import Table

/// Standard output for results, standard error for messages.
enum Console {
  /// Writes bytes to standard output, all of them.
  ///
  /// - Throws: ``CommandFailure`` if they cannot be written. A reader that closed the pipe early has what it wanted: the
  ///   process ends at once, as other tools do.
  static func result(_ bytes: [UInt8]) throws {
    guard let code = write(bytes, to: STDOUT_FILENO) else { return }
    if code == EPIPE { exit(0) }
    throw CommandFailure.failure("Standard output cannot be written: \(reason(code)).")
  }

  /// Writes a text to standard output; a newline is added if it does not end with one.
  static func result(_ text: String) throws {
    try result(Array(text.utf8) + (text.utf8.last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")]))
  }

  /// Whether standard output goes to a terminal.
  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Writes bytes that are not ours to standard output: unchanged, but on a terminal, which is not to be steered by them and
  /// gets a newline after them.
  static func foreignResult(_ bytes: [UInt8]) throws {
    guard outputIsTerminal else { return try result(bytes) }
    try result(TerminalText.shown(String(decoding: bytes, as: UTF8.self)))
  }

  /// Writes a line to standard error. If that cannot be written, there is nobody left to tell. Messages quote names,
  /// answers and what functions print, so on a terminal control characters are made visible.
  static func message(_ text: String) {
    let text = isatty(STDERR_FILENO) == 1 ? TerminalText.shown(text) : text
    _ = write(Array(text.utf8) + [UInt8(ascii: "\n")], to: STDERR_FILENO)
  }

  /// Writes a text to standard error as it is, without a newline.
  static func progress(_ text: String) { _ = write(Array(text.utf8), to: STDERR_FILENO) }

  /// Everything on standard input.
  ///
  /// - Throws: ``CommandFailure`` if it cannot be read, or is over `bytesLimit`.
  static func input(bytesLimit: Int) throws -> [UInt8] {
    try contents(of: STDIN_FILENO, name: "Standard input", bytesLimit: bytesLimit)
  }

  /// Everything in a file, as ``input(bytesLimit:)``.
  static func file(_ path: String, bytesLimit: Int) throws -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CommandFailure.failure("\(path) cannot be opened: \(reason(errno)).") }
    defer { close(descriptor) }
    return try contents(of: descriptor, name: path, bytesLimit: bytesLimit)
  }

  /// The columns of the terminal that standard output goes to; `nil` if it does not go to one.
  static var outputColumns: Int? {
    guard isatty(STDOUT_FILENO) == 1 else { return nil }
    var size = winsize()
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Whether standard output may be coloured: a terminal, and nobody said no (no-color.org).
  static var outputTakesColour: Bool {
    isatty(STDOUT_FILENO) == 1 && (environment("NO_COLOR") ?? "").isEmpty
      && !["", "dumb"].contains(environment("TERM") ?? "")
  }

  /// Waits, on the command's own thread: it does one thing at a time.
  static func sleep(until deadline: ContinuousClock.Instant, _ clock: ContinuousClock) {
    while true {
      let rest = deadline - clock.now
      guard rest > .zero else { return }
      // A signal that did not end the process ends the call early.
      _ = usleep(UInt32(min(rest / .microseconds(1), 900_000)) + 1)
    }
  }

  /// A variable of the environment.
  static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// All variables of the environment.
  static var environment: [String: String] {
    var result: [String: String] = [:]
    var entry = unsafe environ
    while let text = unsafe entry.pointee {
      let parts = unsafe String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
      unsafe entry += 1
    }
    return result
  }

  private static func contents(of descriptor: Int32, name: String, bytesLimit: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= bytesLimit {
      let count = unsafe read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw CommandFailure.failure("\(name) cannot be read: \(reason(errno)).") }
      bytes += chunk[..<count]
    }
    throw CommandFailure.failure("\(name) has more than \(bytesLimit) bytes, which is the limit.")
  }

  /// The error number, if it failed.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return errno }
      written += count
    }
    return nil
  }

  private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
