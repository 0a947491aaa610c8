import CLinux
import Glibc

/// Gives `body` a null-terminated array of C strings, valid during the call. No string contains a zero byte.
func withCStrings(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Int32
) -> Int32 {
  var bytes: [CChar] = []
  var offsets: [Int] = []
  for string in strings {
    offsets.append(bytes.count)
    bytes.append(contentsOf: string.utf8.lazy.map { CChar(bitPattern: $0) })
    bytes.append(0)
  }
  return unsafe bytes.withUnsafeMutableBufferPointer { buffer in
    var pointers: [UnsafeMutablePointer<CChar>?] = unsafe []
    for offset in offsets { unsafe pointers.append(buffer.baseAddress.map { unsafe $0 + offset }) }
    unsafe pointers.append(nil)
    return unsafe pointers.withUnsafeBufferPointer { unsafe $0.baseAddress.map { unsafe body($0) } ?? ENOMEM }
  }
}

extension launcher_report {
  /// A sentence for people.
  var sentence: String {
    unsafe withUnsafeBytes(of: text) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
