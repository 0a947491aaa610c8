import Configuration
import Glibc
import LanguageRuntimes

/// Kelvin's runtimes for Node and Python as files, where interpreters find them.
enum RuntimeFiles {
  private static func folder(in dataDirectory: String) -> String { "\(dataDirectory)/runtimes" }

  /// The command that runs a function's module.
  static func command(of runtime: RuntimeSettings, _ function: FunctionSettings, in dataDirectory: String) -> [String] {
    let language: LanguageRuntime =
      switch runtime.language {
      case .node: .node
      case .python: .python
      }
    let file = "\(folder(in: dataDirectory))/\(language.fileName)"
    return language.command(
      interpreter: runtime.interpreter, handler: runtime.handler, file: file,
      goesOn: function.timeoutPolicy == .continue, abortSignal: function.abortSignal?.rawValue)
  }

  /// Writes them if a function needs them, whatever is there: what runs is of this version of the program.
  ///
  /// - Throws: ``CommandFailure`` if they cannot be written.
  static func write(for settings: KelvinConfiguration) throws(CommandFailure) {
    guard settings.functions.contains(where: { $0.runtime != nil }) else { return }
    let dataDirectory = settings.agent.dataDirectory
    let folder = folder(in: dataDirectory)
    // An agent has made it already; a host without one may be the first who needs it.
    _ = unsafe mkdir(dataDirectory, 0o700)
    guard unsafe mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw failure(folder) }
    var status = stat()
    guard unsafe lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
      status.st_mode & (S_IWGRP | S_IWOTH) == 0
    else {
      throw .failure(
        "\(folder) is no folder that only this user may write to; move it away, or use another data directory.")
    }
    for runtime in LanguageRuntime.allCases {
      let (path, temporary) = ("\(folder)/\(runtime.fileName)", "\(folder)/.\(runtime.fileName).\(getpid())")
      _ = unsafe unlink(temporary)
      let file = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
      guard file >= 0 else { throw failure(temporary) }
      let isWritten = write(runtime.bytes, to: file)
      // SAFETY: both paths live through the call.
      guard close(file) == 0, isWritten, unsafe rename(temporary, path) == 0 else {
        let failure = failure(path)
        _ = unsafe unlink(temporary)
        throw failure
      }
    }
  }

  private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
    var offset = 0
    while offset < bytes.count {
      // SAFETY: the kernel reads within the array, only during the call.
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(file, buffer.baseAddress.map { unsafe $0 + offset }, buffer.count - offset)
      }
      guard count > 0 || errno == EINTR else { return false }
      offset += max(0, count)
    }
    return true
  }

  private static func failure(_ path: String) -> CommandFailure {
    .failure(
      "The runtimes for Node and Python cannot be written to \(path): \(unsafe String(cString: strerror(errno))).")
  }
}
