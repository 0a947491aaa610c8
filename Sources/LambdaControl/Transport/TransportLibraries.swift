import CTransfer
import Digests

/// The versions of the libraries that requests to control planes go through, as they say themselves.
public enum TransportLibraries {
  /// Of libcurl, which is opened for this; `nil` if it is not installed.
  public static var curl: String? { unsafe ctransfer_version().map { unsafe String(cString: $0) } }

  /// Of OpenSSL's libcrypto.
  public static var openSSL: String { DigestLibrary.version }
}
