internal import CLinux
internal import Glibc
internal import Synchronization
internal import WindowStore

/// A file of a log that is mapped into memory and written from front to back.
///
/// All of its room on the disk is taken when it is made, so that a write into it never finds the disk full.
///
/// SAFETY: unchecked because of the pointer. The log that has the segment writes under its lock; `synchronize` only uses the
/// descriptor, which is open as long as the segment is there.
@safe final class Segment: @unchecked Sendable {
  let path: String
  let capacity: Int
  let header: SegmentHeader
  private let descriptor: Int32
  private let memory: UnsafeMutableRawBufferPointer
  /// Keeps the process alive if somebody cuts the file.
  private let guardNumber: Int32
  /// Where the next record begins.
  private(set) var used = SegmentHeader.bytes
  /// The position of the last record.
  private(set) var last: UInt64
  /// Up to which position it is on the disk.
  var synchronized: UInt64

  /// Makes a file.
  ///
  /// - Parameter capacity: Its size in bytes, more than that of a header.
  /// - Throws: ``StoreError`` with ``StoreError/Code/full`` if the disk has no room for all of it.
  init(path: String, header: SegmentHeader, capacity: Int) throws(StoreError) {
    self.path = path
    self.capacity = capacity
    self.header = header
    last = header.base
    synchronized = header.base
    // A file of this name is what an earlier process made ahead and never began.
    unsafe unlink(path)
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw JournalErrors.system(errno, "\(path) cannot be created") }
    do throws(StoreError) {
      let code = posix_fallocate(descriptor, 0, off_t(capacity))
      guard code == 0 else { throw JournalErrors.system(code, "\(path) cannot be created") }
      let address = unsafe mmap(nil, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
      guard let address = unsafe address, unsafe address != MAP_FAILED else {
        throw JournalErrors.system(errno, "\(path) cannot be mapped")
      }
      unsafe memory = UnsafeMutableRawBufferPointer(start: address, count: capacity)
      unsafe guardNumber = clinux_guard_mapping(address, capacity)
    } catch {
      close(descriptor)
      unsafe unlink(path)
      throw error
    }
    var writer = unsafe RecordWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<SegmentHeader.bytes]))
    header.write(to: &writer)
    guard fsync(descriptor) == 0 else { throw JournalErrors.system(errno, "\(path) cannot be written") }
  }

  // SAFETY: nobody else has the memory or the descriptor.
  deinit {
    clinux_release_mapping(guardNumber)
    unsafe munmap(memory.baseAddress, capacity)
    close(descriptor)
  }

  /// What is left for records and their headers.
  var room: Int { capacity - used }

  /// Appends a record if there may be room for it.
  ///
  /// - Parameters:
  ///   - payloadBytesMax: The most that `write` writes.
  ///   - write: Writes the payload.
  /// - Returns: Whether there was room.
  func append(
    _ kind: RecordKind, position: UInt64, payloadBytesMax: Int, _ write: (inout RecordWriter) -> Void
  ) -> Bool {
    let payload = used + RecordHeader.bytes
    guard payloadBytesMax <= RecordHeader.payloadBytesMax,
      payloadBytesMax <= capacity - payload - RecordHeader.alignment
    else { return false }
    var writer = unsafe RecordWriter(
      UnsafeMutableRawBufferPointer(rebasing: memory[payload..<(payload + payloadBytesMax)]))
    write(&writer)
    let header = RecordHeader(kind: kind, payloadBytes: writer.count, position: position)
    let next = used + RecordHeader.bytes(ofPayload: writer.count)
    unsafe memory.storeBytes(of: position.littleEndian, toByteOffset: used + 8, as: UInt64.self)
    var checksum = header.checksum(inSegment: self.header.number)
    unsafe checksum.add(UnsafeRawBufferPointer(rebasing: memory[payload..<(payload + writer.count)]))
    if next + 8 <= capacity { setWord(0, at: next) }
    setWord(UInt64(header.shape) << 32 | UInt64(checksum.value), at: used)
    used = next
    last = position
    return true
  }

  /// Takes records back that are not acknowledged.
  ///
  /// - Parameters:
  ///   - offset: What ``used`` was before them.
  ///   - position: What ``last`` was before them.
  func takeBack(to offset: Int, _ position: UInt64) {
    guard offset < used else { return }
    setWord(0, at: offset)
    used = offset
    last = position
  }

  /// Stores a word after all that was written before, as whoever reads the file of a killed process sees it.
  private func setWord(_ value: UInt64, at offset: Int) {
    // SAFETY: records begin at multiples of eight bytes, and an atomic integer has the layout of the integer.
    guard let base = unsafe memory.baseAddress else { return }
    unsafe base.advanced(by: offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee
      .store(value.littleEndian, ordering: .releasing)
  }

  /// Has all that was written on the disk.
  ///
  /// - Throws: ``StoreError`` if the disk does not take it.
  func synchronize() throws(StoreError) {
    guard fdatasync(descriptor) == 0 else { throw JournalErrors.system(errno, "\(path) cannot be written") }
  }

  /// Whether the file still has its name, its size and all that was written.
  var isInPlace: Bool {
    guard clinux_is_mapping_broken(guardNumber) == 0 else { return false }
    var own = stat()
    var named = stat()
    guard unsafe fstat(descriptor, &own) == 0, unsafe lstat(path, &named) == 0 else { return false }
    return own.st_ino == named.st_ino && own.st_dev == named.st_dev && own.st_size == off_t(capacity)
  }
}

enum JournalErrors {
  static func newer(_ path: String, _ version: UInt32) -> StoreError {
    StoreError(
      .newer,
      """
      \(path) was written by a newer Kelvin (format \(version), this one reads up to \(SegmentHeader.formatVersion)); \
      use that version or another data directory
      """)
  }

  /// What an error of the system means for the journal.
  static func system(_ code: Int32, _ what: String) -> StoreError {
    // SAFETY: glibc's strerror is safe between threads since 2.32 and never answers with a null pointer.
    let reason = unsafe String(cString: strerror(code))
    switch code {
    case ENOSPC, EDQUOT, EFBIG:
      return StoreError(
        .full,
        "no space is left for the journal; free some space, nothing that was accepted is lost (\(what): \(reason))")
    case EACCES, EPERM, EROFS, ENOENT, ELOOP, ENOTDIR:
      return StoreError(.inaccessible, "\(what): \(reason)")
    default:
      return StoreError(.failed, "\(what): \(reason)")
    }
  }
}
