import Agent
import WindowStore

/// What `kelvin --version` prints.
enum VersionText {
  /// The package with the TLS library; its version is that of Package.resolved, which a test compares.
  static let tlsPackage = "swift-nio-ssl 2.37.6"

  /// The version in the first line, alone, for programs; then a line for each library of others that the program uses.
  static var text: String {
    let libraries = [
      "SQLite \(StoreLibrary.version)", "zlib \(LinkedLibraries.zlib)", "protobuf-c \(LinkedLibraries.protobufC)",
      "glibc \(LinkedLibraries.glibc)", "BoringSSL of \(tlsPackage)",
    ]
    return ([kelvinVersion] + libraries).joined(separator: "\n")
  }
}
