internal import Glibc
internal import Lifecycle

/// A file with facts about the last checkpoint, beside the database. SQLite silently ignores the damaged end of a log;
/// then only this file says that something is missing.
struct CheckpointRecord: Sendable, Equatable {
  static let fileName = "kelvin.last"
  /// A line of fixed length, so that writing it anew needs no room on the disk.
  private static let lineBytes = 128
  private static let word = "kelvin-checkpoint"

  /// Counts the checkpoints of a store, from 1.
  var sequence: UInt64
  /// The clock at it.
  var time: Timestamp
  /// The invocations of all functions in it.
  var invocations: UInt64

  /// - Returns: `nil` if there is none that can be read.
  static func read(in directory: String) -> CheckpointRecord? {
    let descriptor = unsafe open(
      directory + "/" + fileName, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: lineBytes)
    let count = unsafe bytes.withUnsafeMutableBufferPointer { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
    guard count == lineBytes else { return nil }
    let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
    guard words.count == 4, words[0] == word, let sequence = UInt64(words[1]), let time = Int64(words[2]),
      let invocations = UInt64(words[3]), time >= 0
    else { return nil }
    return CheckpointRecord(sequence: sequence, time: Timestamp(nanoseconds: time), invocations: invocations)
  }

  /// Writes it in the place of the last one. If that fails, the last one stays, which claims less.
  func write(in directory: String) {
    let descriptor = unsafe open(
      directory + "/" + Self.fileName, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var line = Array("\(Self.word) \(sequence) \(time.nanoseconds) \(invocations)".utf8)
    line += Array(repeating: UInt8(ascii: " "), count: max(0, Self.lineBytes - 1 - line.count)) + [UInt8(ascii: "\n")]
    _ = unsafe line.withUnsafeBufferPointer { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }
}
