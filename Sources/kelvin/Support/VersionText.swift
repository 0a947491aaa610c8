import AWSClient
import Agent
import LambdaControl
import WindowStore

/// What `kelvin --version` prints.
enum VersionText {
  /// The version in the first line, alone, for programs; then a line for each library of others that the program uses.
  static var text: String {
    let libraries = [
      "SQLite \(StoreLibrary.version)", "zlib \(LinkedLibraries.zlib)", "protobuf-c \(LinkedLibraries.protobufC)",
      "glibc \(LinkedLibraries.glibc)", "OpenSSL \(TransportLibraries.openSSL)",
      "libcurl \(TransportLibraries.curl ?? "not installed: commands that ask a control plane need it")",
    ]
    return ([kelvinVersion] + libraries).joined(separator: "\n")
  }
}
