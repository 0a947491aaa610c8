internal import Glibc
internal import WindowStore

/// A file of a log that an earlier process left.
struct FoundSegment: Sendable {
  var path: String
  var number: UInt64
  /// The position of the last whole record; what all are above if there is none.
  var last: UInt64
  /// The size of the file.
  var bytes: Int

  /// Files of this form are segments.
  static let suffix = ".log"

  static func path(folder: String, name: String, number: UInt64) -> String {
    let digits = String(number)
    return "\(folder)/\(name)-\(String(repeating: "0", count: max(0, 12 - digits.count)))\(digits)\(suffix)"
  }

  /// The segments of a log in a folder, in the order of their numbers.
  static func paths(folder: String, name: String) throws(StoreError) -> [(number: UInt64, path: String)] {
    var found: [(number: UInt64, path: String)] = []
    for file in try names(in: folder) where file.hasPrefix(name + "-") && file.hasSuffix(suffix) {
      let digits = file.dropFirst(name.utf8.count + 1).dropLast(suffix.utf8.count)
      guard digits.utf8.count >= 12, let number = UInt64(digits) else { continue }
      found.append((number, folder + "/" + file))
    }
    return found.sorted { $0.number < $1.number }
  }

  /// - Throws: ``StoreError`` if the folder cannot be read; one that is not there is empty.
  static func names(in folder: String) throws(StoreError) -> [String] {
    guard let directory = unsafe opendir(folder) else {
      if errno == ENOENT { return [] }
      throw JournalErrors.system(errno, "\(folder) cannot be read")
    }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      names.append(name)
    }
    return names
  }

  /// - Throws: ``StoreError`` if it cannot be read, or is no file.
  static func read(_ path: String) throws(StoreError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { throw JournalErrors.system(errno, "\(path) cannot be read") }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_size <= off_t(bytesMax)
    else { throw StoreError(.corrupt, "\(path) is no file of the journal") }
    let size = Int(status.st_size)
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let read = unsafe pread(descriptor, buffer.baseAddress?.advanced(by: count), size - count, off_t(count))
        if read < 0, errno == EINTR { continue }
        if read < 0 { failure = errno }
        guard read > 0 else { return }
        count += read
      }
    }
    guard failure == 0 else { throw JournalErrors.system(failure, "\(path) cannot be read") }
    return bytes
  }

  /// No segment is larger.
  private static let bytesMax = 1 << 28

  static func synchronizeFolder(_ path: String) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { return }
    // What fails here is only what a power cut would undo.
    _ = fsync(descriptor)
    close(descriptor)
  }
}
