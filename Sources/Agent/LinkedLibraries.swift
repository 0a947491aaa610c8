internal import CZlib
internal import Glibc
internal import Prometheus

/// The versions of the C libraries in this process, as the libraries report them.
package enum LinkedLibraries {
  /// The version of zlib, such as `1.3.1`.
  package static var zlib: String { unsafe String(cString: zlibVersion()) }
  /// "unknown" if it does not say.
  package static var glibc: String {
    let size = confstr(Int32(_CS_GNU_LIBC_VERSION), nil, 0)
    guard size > 1 else { return "unknown" }
    var bytes = [CChar](repeating: 0, count: size)
    guard unsafe confstr(Int32(_CS_GNU_LIBC_VERSION), &bytes, size) > 0 else { return "unknown" }
    let text = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.hasPrefix("glibc ") ? String(text.dropFirst("glibc ".count)) : text
  }

  /// The version of protobuf-c, such as `1.4.1`.
  package static var protobufC: String { ProtobufLibrary.version }
}
