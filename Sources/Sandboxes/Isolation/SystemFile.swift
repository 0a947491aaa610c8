import Glibc

/// Small files of the kernel, and folders, without Foundation.
enum SystemFile {
  /// The text of a small file; `nil` if it cannot be read. What lies beyond `bytesMax` is left out.
  static func text(_ path: String, bytesMax: Int = 64 * 1024) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while bytes.count < bytesMax {
      let count = unsafe read(descriptor, &piece, piece.count)
      if count < 0 { return nil }
      if count == 0 { break }
      bytes.append(contentsOf: piece[..<count])
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The number that a file begins with.
  static func number(_ path: String) -> Int64? {
    guard let text = text(path) else { return nil }
    let digits = text.prefix { $0 != "\n" }
    // A limit that there is not.
    return digits == "max" ? .max : Int64(digits)
  }

  /// The number behind `name` in a file of lines "name number".
  static func number(named name: String, in text: String) -> Int64? {
    for line in text.split(separator: "\n") where line.hasPrefix(name) {
      let rest = line.dropFirst(name.count)
      if rest.first == " " { return Int64(rest.dropFirst()) }
    }
    return nil
  }

  /// Writes all of `text` to a file that is there. 0 or an errno.
  @discardableResult
  static func write(_ text: String, to path: String) -> Int32 {
    let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    return unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count ? 0 : max(errno, 1)
  }

  /// The names in a folder, without `.` and `..`; empty if it cannot be read.
  static func names(in folder: String) -> [String] {
    guard let directory = unsafe opendir(folder) else { return [] }
    defer { unsafe _ = closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
