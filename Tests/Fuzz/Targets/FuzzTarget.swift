import Glibc
import TestSupport

/// A parser of what comes from outside, and what must hold whatever bytes it is given.
public struct FuzzTarget: Sendable {
  /// Its name, which is that of its folder of seeds.
  public let name: String
  /// Reads the bytes, and traps if something does not hold.
  public let run: @Sendable ([UInt8]) -> Void

  init(_ name: String, _ run: @escaping @Sendable ([UInt8]) -> Void) {
    self.name = name
    self.run = run
  }

  /// All parsers that read what comes from outside.
  public static let all: [FuzzTarget] =
    text + http + webSockets + schedules + replies + host + queues + files + records + events + journal

  /// The folder of the seeds of all targets.
  public static let corpora: String = {
    let path = #filePath
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    return parts.joined(separator: "/") + "/corpora"
  }()

  /// The seeds, in the order of the names of their files.
  ///
  /// - Returns: At least one; a target without seeds is a mistake, which traps.
  public func seeds() -> [[UInt8]] {
    let folder = "\(FuzzTarget.corpora)/\(name)"
    let seeds = FuzzFiles.names(in: folder).map { FuzzFiles.read("\(folder)/\($0)") ?? [] }
    precondition(!seeds.isEmpty, "\(folder) has no seeds")
    return seeds
  }
}

/// Traps with a sentence if something does not hold, in release builds too.
func require(_ holds: Bool, _ sentence: @autoclosure () -> String) {
  if !holds { fatalError(sentence()) }
}

/// Files, without Foundation.
public enum FuzzFiles {
  /// The names of the files in a folder, in order; none if there is no such folder.
  public static func names(in folder: String) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// The bytes of a file; `nil` if it cannot be read.
  public static func read(_ path: String) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe Glibc.read(descriptor, &part, part.count)
      guard count > 0 else { return count < 0 ? nil : bytes }
      bytes += part[..<count]
    }
  }

  /// Writes a file anew.
  ///
  /// - Returns: Whether all of it could be written.
  public static func write(_ bytes: [UInt8], to path: String) -> Bool {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count
  }
}
