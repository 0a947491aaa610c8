import CTransfer
import Digests

/// The versions of the libraries for requests to control planes, as the libraries report them.
package enum TransportLibraries {
  /// Of libcurl, which is opened for this; `nil` if it is not installed.
  package static var curl: String? { unsafe ctransfer_version().map { unsafe String(cString: $0) } }

  /// Of OpenSSL's libcrypto.
  package static var openSSL: String { DigestLibrary.version }
}
