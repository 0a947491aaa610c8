/// The page for people: the files of this folder, inside the program.
public enum WebPage {
  /// One file.
  public struct File: Sendable {
    /// As `Content-Type` says it.
    public let type: String
    /// The whole file, uncompressed; held by the program for its life.
    public let bytes: [UInt8]
  }

  /// `index.html`.
  public static let page = File(type: "text/html; charset=utf-8", bytes: PackageResources.index_html)
  /// `kelvin.css`.
  public static let style = File(type: "text/css; charset=utf-8", bytes: PackageResources.kelvin_css)
  /// `kelvin.js`.
  public static let script = File(type: "text/javascript; charset=utf-8", bytes: PackageResources.kelvin_js)
}
