import Glibc
package import Schedules
package import Text

/// Finds time zones by their names, in the files that the package tzdata installs.
package struct TimeZoneFiles: Sendable {
  private let folder: String

  /// Those of the system.
  package static let system = TimeZoneFiles(folder: "/usr/share/zoneinfo")

  /// Those in a folder.
  package init(folder: String) { self.folder = folder }

  /// Reads a zone. Blocks on the file system.
  ///
  /// - Throws: ``TextProblem`` with a sentence that says which zone may have been meant, or what to install.
  package func zone(named name: String) throws(TextProblem) -> TimeZone {
    if name == TimeZone.utc.name { return .utc }
    guard TimeZone.isName(name) else {
      throw TextProblem("\(quoted(name)) is not the name of a time zone; write one such as Europe/Berlin or UTC")
    }
    if let bytes = read("\(folder)/\(name)"), let zone = TimeZone(file: bytes, name: name) { return zone }
    let known = names
    guard !known.isEmpty else {
      throw TextProblem(
        "there are no time zones in \(folder): install the package tzdata, or write UTC instead of \(quoted(name))")
    }
    let hint =
      suggestion(for: name, among: known).map { "; did you mean \($0)?" } ?? "; write one such as Europe/Berlin"
    throw TextProblem("there is no time zone \(quoted(name)) in \(folder)\(hint)")
  }

  /// A name that differs in case or by little, or whose last part is what was written.
  private func suggestion(for name: String, among known: [String]) -> String? {
    let lower = name.lowercased()
    return known.first { $0.lowercased() == lower }
      ?? known.first { $0.lowercased().hasSuffix("/\(lower.replacingSpaces)") }
      ?? Suggestion.closest(to: name, in: known)
  }

  /// The names of all zones, in order; at most two folders deep, as tzdata has them.
  private var names: [String] {
    var names: [String] = []
    list("", depth: 0, into: &names)
    return names.sorted()
  }

  private func list(_ prefix: String, depth: Int, into names: inout [String]) {
    guard let stream = unsafe opendir("\(folder)/\(prefix)") else { return }
    defer { unsafe closedir(stream) }
    while names.count < 5_000, let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      // Zones begin with a capital letter; posix and right have them all once more.
      guard let first = name.first, first.isASCII, first.isUppercase else { continue }
      var status = stat()
      guard unsafe stat("\(folder)/\(prefix)\(name)", &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFREG {
        names.append(prefix + name)
      } else if status.st_mode & S_IFMT == S_IFDIR, depth < 2 {
        list("\(prefix)\(name)/", depth: depth + 1, into: &names)
      }
    }
  }

  private func read(_ path: String) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_size <= TimeZone.fileBytesMax
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var position = 0
    while position < bytes.count {
      let count = unsafe bytes.withUnsafeMutableBytes { bytes in
        // SAFETY: `position` is less than the count of the bytes, which are there during the call.
        unsafe Glibc.read(descriptor, bytes.baseAddress.map { unsafe $0 + position }, bytes.count - position)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      position += count
    }
    return bytes
  }
}

extension String {
  /// As names of zones are written.
  fileprivate var replacingSpaces: String { String(map { $0 == " " ? "_" : $0 }) }
}
