import Glibc
import NIOCore

/// Appends to a log file, and renames it to `….1` when it is full.
enum LogFile {
  /// The most bytes of one file; there are at most two of a function.
  static let bytesMax = 8 << 20

  /// What could not be written.
  struct Loss: Equatable, Sendable {
    var lines = 0
    var bytes = 0
    /// Why, in the system's words.
    var reason = ""
  }

  /// Appends whole lines to the file at `path`. Blocks on the file system.
  ///
  /// - Returns: What is lost, because the system did not take it; no part of a line is left in the file.
  static func append(_ lines: ByteBuffer, to path: String, bytesMax: Int = LogFile.bytesMax) -> Loss {
    var descriptor = openForAppending(path)
    guard descriptor >= 0 else { return loss(of: lines, after: 0) }
    var size = bytesCount(descriptor)
    if size > 0, size + lines.readableBytes > bytesMax {
      close(descriptor)
      guard unsafe rename(path, "\(path).1") == 0 else { return loss(of: lines, after: 0) }
      descriptor = openForAppending(path)
      guard descriptor >= 0 else { return loss(of: lines, after: 0) }
      size = bytesCount(descriptor)
    }
    defer { close(descriptor) }
    let written = write(lines, to: descriptor)
    guard written < lines.readableBytes else { return Loss() }
    var lost = loss(of: lines, after: 0)
    let whole = endOfWholeLines(lines, written)
    if whole < written { ftruncate(descriptor, size + whole) }
    let reason = lost.reason
    lost = loss(of: lines, after: whole)
    lost.reason = reason
    return lost
  }

  private static func openForAppending(_ path: String) -> Int32 {
    unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
  }

  private static func bytesCount(_ descriptor: Int32) -> Int {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  private static func write(_ lines: ByteBuffer, to descriptor: Int32) -> Int {
    unsafe lines.withUnsafeReadableBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = unsafe Glibc.write(
          descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        written += count
      }
      return written
    }
  }

  private static func endOfWholeLines(_ lines: ByteBuffer, _ count: Int) -> Int {
    let newline = lines.readableBytesView.prefix(count).lastIndex(of: UInt8(ascii: "\n"))
    return newline.map { $0 - lines.readerIndex + 1 } ?? 0
  }

  private static func loss(of lines: ByteBuffer, after offset: Int) -> Loss {
    let reason = unsafe String(cString: strerror(errno))
    let rest = lines.readableBytesView.dropFirst(offset)
    return Loss(
      lines: rest.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }, bytes: rest.count, reason: reason)
  }
}
