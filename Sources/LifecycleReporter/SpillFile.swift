import Glibc

/// Encoded batches in a file, first in, first out: what memory has no room for while the agent is gone, and what is left at the end of the
/// process (docs/formats/events.md has the format).
///
/// For one thread. A kill of the process loses nothing that ``append(_:events:)`` returned for.
final class SpillFile {
  /// Why a file cannot be used: a sentence.
  struct Problem: Error {
    var message: String
  }

  private struct Record {
    var offset: Int
    var length: Int
    var events: Int
  }

  /// Before each batch: a mark, its length, the number of its events, and a checksum of all that and the batch.
  private static let headBytes = 16
  private static let mark: UInt32 = 0x4B4C_5653
  /// The largest batch that a sender makes is far below.
  private static let batchBytesMax = 64 << 20

  private let descriptor: Int32
  private let bytesLimit: Int
  private var records: ArraySlice<Record> = []
  private var end = 0
  /// Bytes that were no batch when the file was opened.
  private(set) var damagedBytes = 0

  /// Opens a file, or makes it, and finds what is in it.
  ///
  /// - Parameters:
  ///   - bytesLimit: How large the file may become.
  init(path: String, bytesLimit: Int) throws(Problem) {
    func problem(_ what: String) -> Problem {
      Problem(message: "\(path) \(what): \(unsafe String(cString: strerror(errno)))")
    }
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw problem("cannot be opened") }
    self.descriptor = descriptor
    self.bytesLimit = bytesLimit
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw Problem(message: "\(path) is in use by another process: each needs a file of its own")
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Problem(message: "\(path) is not a file")
    }
    // What is something else is not cut to nothing once all was sent.
    guard status.st_size == 0 || isOwn else {
      throw Problem(message: "\(path) is not a file of events: move it away, or name another")
    }
    find(in: Int(status.st_size))
  }

  deinit { close(descriptor) }

  /// Batches that wait.
  var batches: Int { records.count }
  /// Their events.
  var events: Int { records.reduce(0) { $0 + $1.events } }

  /// Adds a batch behind all others.
  ///
  /// - Throws: ``Problem`` if there is no room; the file is as before.
  func append(_ batch: [UInt8], events: Int) throws(Problem) {
    guard end + Self.headBytes + batch.count <= bytesLimit else {
      throw Problem(message: "it has \(end) bytes, and \(bytesLimit) is its limit")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.headBytes + batch.count)
    for word in [Self.mark, UInt32(batch.count), UInt32(events), Self.checksum(batch[...], events: events)] {
      for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    bytes += batch
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written, end + written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let reason = errno
        ftruncate(descriptor, end)
        throw Problem(message: unsafe String(cString: strerror(reason)))
      }
      written += count
    }
    records.append(Record(offset: end, length: batch.count, events: events))
    end += bytes.count
  }

  /// The first batch; `nil` if there is none. One that cannot be read any more is passed over, and told.
  func first(lost: (Int) -> Void) -> (batch: [UInt8], events: Int)? {
    while let record = records.first {
      if let batch = read(record.offset + Self.headBytes, record.length) { return (batch, record.events) }
      lost(record.events)
      removeFirst()
    }
    return nil
  }

  /// Forgets the first batch. An empty file takes no room.
  func removeFirst() {
    records.removeFirst()
    guard records.isEmpty else { return }
    records = []
    if ftruncate(descriptor, 0) == 0 { end = 0 }
  }

  // MARK: What is found

  private var isOwn: Bool { read(0, 4).map { $0 == Self.markBytes } ?? false }

  private static var markBytes: [UInt8] { [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: mark >> $0) } }

  private func find(in size: Int) {
    var offset = 0
    while offset + Self.headBytes <= size {
      guard let record = record(at: offset, size) else {
        let next = nextMark(from: offset + 1, size)
        damagedBytes += next - offset
        offset = next
        continue
      }
      records.append(record)
      offset = record.offset + Self.headBytes + record.length
    }
    damagedBytes += size - offset
    end = offset
    if ftruncate(descriptor, end) != 0 { end = size }
  }

  /// Where the next mark is; the end if there is none.
  private func nextMark(from start: Int, _ size: Int) -> Int {
    let mark = Self.markBytes
    var offset = start
    while offset + Self.headBytes <= size, let part = read(offset, min(1 << 20, size - offset)) {
      for place in part.indices.dropLast(3)
      where part[place] == mark[0] && part[place..<(place + 4)].elementsEqual(mark) {
        return offset + place
      }
      offset += part.count - 3
    }
    return size
  }

  private func record(at offset: Int, _ size: Int) -> Record? {
    guard let head = read(offset, Self.headBytes) else { return nil }
    func word(_ number: Int) -> UInt32 {
      head[(number * 4)..<(number * 4 + 4)].reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
    }
    let words = [word(0), word(1), word(2), word(3)]
    let (length, events) = (Int(words[1]), Int(words[2]))
    guard words[0] == Self.mark, length <= Self.batchBytesMax, offset + Self.headBytes + length <= size,
      let batch = read(offset + Self.headBytes, length), Self.checksum(batch[...], events: events) == words[3]
    else { return nil }
    return Record(offset: offset, length: length, events: events)
  }

  private func read(_ offset: Int, _ length: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: length)
    var count = 0
    while count < length {
      let part = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe pread(descriptor, buffer.baseAddress?.advanced(by: count), length - count, offset + count)
      }
      if part < 0, errno == EINTR { continue }
      guard part > 0 else { return nil }
      count += part
    }
    return bytes
  }

  /// FNV-1a of length, number and bytes, its halves put together.
  private static func checksum(_ batch: ArraySlice<UInt8>, events: Int) -> UInt32 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for word in [UInt64(batch.count), UInt64(events)] { hash = (hash ^ word) &* 0x0000_0100_0000_01B3 }
    for byte in batch { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
  }
}
