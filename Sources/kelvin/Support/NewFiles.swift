import Glibc

/// Writes files, and never over existing ones.
enum NewFiles {
  /// Writes all of them, and makes the folders that they need; if one is there already, none.
  ///
  /// - Throws: ``CommandFailure``, with exit code 64 if one is there already. What was written before a failure is removed
  ///   again, but for folders.
  static func write(_ files: [StartingPoint.File], in folder: String) throws {
    let present = files.map { "\(folder)/\($0.path)" }.filter(isTaken).map(shown)
    guard present.isEmpty else {
      let verb = present.count == 1 ? "exists" : "exist"
      throw CommandFailure.usage(
        "\(present.joined(separator: " and ")) already \(verb), and kelvin init overwrites nothing. Name another "
          + "folder: kelvin init FOLDER")
    }
    var written: [String] = []
    do {
      for file in files {
        let path = "\(folder)/\(file.path)"
        try makeFolders(of: path)
        try write(file.bytes, to: path, &written)
      }
    } catch {
      for path in written { unsafe unlink(path) }
      throw error
    }
  }

  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// The path without links and steps that go nowhere; `nil` if nothing is there.
  static func absolute(_ path: String) -> String? {
    guard let real = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }

  /// Whether something is there, also a link that leads nowhere.
  private static func isTaken(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0
  }

  private static func makeFolders(of path: String) throws {
    var made = path.hasPrefix("/") ? "" : "."
    for step in path.split(separator: "/").dropLast() {
      made += "/\(step)"
      // There already, mostly; if it cannot be made, opening a file in it says why, unless it is no folder.
      guard unsafe mkdir(made, 0o777) != 0, errno != EEXIST else { continue }
      throw failure("The folder \(shown(made)) cannot be created")
    }
  }

  private static func write(_ bytes: [UInt8], to path: String, _ written: inout [String]) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure("\(shown(path)) cannot be written") }
    written.append(path)
    defer { close(descriptor) }
    var count = 0
    while count < bytes.count {
      let more = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + count }, buffer.count - count)
      }
      if more < 0, errno == EINTR { continue }
      guard more > 0 else { throw failure("\(shown(path)) cannot be written") }
      count += more
    }
  }

  private static func failure(_ what: String) -> CommandFailure {
    .failure("\(what): \(unsafe String(cString: strerror(errno))).")
  }

  private static func shown(_ path: String) -> String {
    TypedText.safe(path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
  }
}
