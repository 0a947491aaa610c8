/// The page for people: the files of this folder, inside the program.
package enum WebPage {
  /// One file.
  package struct File: Sendable {
    /// As `Content-Type` says it.
    package let type: String
    /// The whole file, uncompressed; held by the program for its life.
    package let bytes: [UInt8]
  }

  /// `index.html`.
  package static let page = File(type: "text/html; charset=utf-8", bytes: PackageResources.index_html)
  /// `kelvin.css`.
  package static let style = File(type: "text/css; charset=utf-8", bytes: PackageResources.kelvin_css)
  /// `kelvin.js`.
  package static let script = File(type: "text/javascript; charset=utf-8", bytes: PackageResources.kelvin_js)
}
