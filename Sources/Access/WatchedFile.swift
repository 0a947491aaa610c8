internal import Glibc
internal import Synchronization

/// A value that a file has, read again when the file changes.
///
/// Nobody waits for a change: whoever asks for the value looks at the file, at most once a second. A changed file that cannot be used is told once,
/// and the value stays what it was.
package final class WatchedFile<Value: Sendable>: Sendable {
  /// Where it is.
  package let path: String
  private let others: @Sendable (Value) -> [String]
  private let read: @Sendable (String) throws(WatchedFileProblem) -> Value
  private let complain: @Sendable (WatchedFileProblem) -> Void
  private let state: Mutex<State>

  private struct State {
    var value: Value
    /// Of the file, and of those beside it.
    var identities: [Identity?]
    var lookedAt = ContinuousClock.now
  }

  private struct Identity: Equatable {
    var device: UInt
    var number: UInt
    var bytes: Int
    var seconds: Int
    var nanoseconds: Int

    /// `nil` if there is no file.
    init?(_ path: String) {
      var status = stat()
      guard unsafe stat(path, &status) == 0 else { return nil }
      device = UInt(status.st_dev)
      number = UInt(status.st_ino)
      bytes = Int(status.st_size)
      seconds = status.st_mtim.tv_sec
      nanoseconds = status.st_mtim.tv_nsec
    }
  }

  /// Reads the file for the first time. Blocks.
  ///
  /// - Parameters:
  ///   - path: Absolute, or relative to the working directory.
  ///   - others: Further files that the value was made of; a change of one of them counts as one of the file.
  ///   - read: Makes the value of what is at a path; called again whenever the file has changed.
  ///   - complain: Told what was wrong with a changed file.
  /// - Throws: What `read` throws.
  package init(
    _ path: String, others: @escaping @Sendable (Value) -> [String] = { _ in [] },
    read: @escaping @Sendable (String) throws(WatchedFileProblem) -> Value,
    complain: @escaping @Sendable (WatchedFileProblem) -> Void
  ) throws(WatchedFileProblem) {
    self.path = path
    self.read = read
    self.complain = complain
    self.others = others
    // Before the file is read: what changes meanwhile is seen by the next look.
    let identity = Identity(path)
    let value = try read(path)
    state = Mutex(State(value: value, identities: [identity] + others(value).map(Identity.init)))
  }

  /// The value; looks at the file first, if nobody did for a second.
  ///
  /// - Complexity: One `stat` a second; a file that changed is read while others wait.
  package var value: Value {
    state.withLock { state in
      let now = ContinuousClock.now
      guard now - state.lookedAt >= .seconds(1) else { return state.value }
      state.lookedAt = now
      return look(&state)
    }
  }

  /// Looks at the file whenever anybody last did.
  package func look() { state.withLock { _ = look(&$0) } }

  private func look(_ state: inout State) -> Value {
    let identities = ([path] + others(state.value)).map(Identity.init)
    guard identities != state.identities else { return state.value }
    state.identities = identities
    do {
      state.value = try read(path)
      state.identities = [identities[0]] + others(state.value).map(Identity.init)
    } catch {
      complain(WatchedFileProblem("\(error.message); until that is mended, what was read before stays in force"))
    }
    return state.value
  }
}

/// Why a file cannot be used.
package struct WatchedFileProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// A sentence that names the file, and the line where there is one, and says what to do. Has no secrets.
  package let message: String

  /// A problem of its sentence.
  package init(_ message: String) { self.message = message }

  /// The same as ``message``.
  package var description: String { message }
}

extension TokenFile {
  /// The largest file that is read, in bytes.
  package static let bytesMax = 1 << 20

  /// Reads a file of tokens from the disk, and again whenever it changes. Blocks.
  ///
  /// - Parameter complain: Told what is wrong with a file that changed, and that others may read one which has secrets in it.
  /// - Throws: ``WatchedFileProblem`` if it cannot be used now.
  package static func watched(
    _ path: String, complain: @escaping @Sendable (WatchedFileProblem) -> Void
  ) throws(WatchedFileProblem) -> WatchedFile<[AccessToken]> {
    try WatchedFile(
      path,
      read: { path throws(WatchedFileProblem) in
        let (text, mode) = try contents(path)
        do throws(TokenFileProblem) {
          let tokens = try read(text)
          if mode & 0o077 != 0, tokens.contains(where: \.isWritten) {
            complain(
              WatchedFileProblem(
                "others than its owner may read the secrets in \(path): chmod 600 it, or write sha256: and the digest of "
                  + "each secret in place of it"))
          }
          return tokens
        } catch {
          throw WatchedFileProblem("\(path), line \(error.line): \(error.message)")
        }
      }, complain: complain)
  }

  private static func contents(_ path: String) throws(WatchedFileProblem) -> (text: String, mode: UInt32) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    func failure() -> WatchedFileProblem {
      unsafe WatchedFileProblem("\(path) cannot be read: \(String(cString: strerror(errno)))")
    }
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw failure() }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= bytesMax else {
      throw WatchedFileProblem("\(path) is no file of up to 1 MiB; give the path of a file of tokens")
    }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while bytes.count <= bytesMax {
      let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure() }
      guard count > 0 else { break }
      bytes += chunk[..<count]
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw WatchedFileProblem("\(path) is not UTF-8; give the path of a file of tokens")
    }
    return (text, status.st_mode)
  }
}
