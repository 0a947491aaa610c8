import Glibc

/// Where `kelvin-launcher` is.
package enum LauncherLocation {
  /// The variable that names it outright.
  package static let variable = "KELVIN_LAUNCHER"

  /// Looks for the launcher: where the environment's `KELVIN_LAUNCHER` says, else beside the running program, else in
  /// `../libexec/kelvin/` from there.
  ///
  /// - Returns: The path of an executable file.
  /// - Throws: ``ProcessError`` with ``ProcessError/Code/launcher`` and a sentence that names the places.
  package static func find() throws(ProcessError) -> String {
    let named = unsafe getenv(variable).map { unsafe String(cString: $0) }
    return try find(named: named, programDirectory: programDirectory()) { unsafe access($0, X_OK) == 0 }
  }

  static func find(
    named: String?, programDirectory: String?, isExecutable: (String) -> Bool
  ) throws(ProcessError) -> String {
    if let named, !named.isEmpty {
      if isExecutable(named) { return named }
      throw ProcessError(
        code: .launcher, message: "\(variable) is \(named), which is not an executable file: correct or unset it.")
    }
    guard let directory = programDirectory else {
      throw ProcessError(
        code: .launcher, message: "Cannot tell where this program is: set \(variable) to the path of kelvin-launcher.")
    }
    let places = ["\(directory)/kelvin-launcher", "\(directory)/../libexec/kelvin/kelvin-launcher"]
    if let place = places.first(where: isExecutable) { return place }
    throw ProcessError(
      code: .launcher,
      message:
        "kelvin-launcher is neither \(places[0]) nor \(places[1]): install it there or set \(variable) to its path.")
  }

  private static func programDirectory() -> String? {
    var path = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe path.withUnsafeMutableBytes { buffer in
      unsafe buffer.baseAddress.map { unsafe readlink("/proc/self/exe", $0, buffer.count) } ?? -1
    }
    guard count > 0, count < path.count, let slash = path[..<count].lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return String(decoding: path[..<slash], as: UTF8.self)
  }
}
