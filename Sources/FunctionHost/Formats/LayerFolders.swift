import Glibc
import Sandboxes

/// Layers: folders whose contents an instance sees at `/opt`, as AWS unpacks layers there.
enum LayerFolders {
  /// Where they are seen.
  static let place = "/opt"
  /// The external extensions that layers bring.
  static let extensions = "/opt/extensions"

  /// What AWS's runtimes look in, and the variables that have it for other programs; each is added behind what there is.
  private static let variables = [
    ("PATH", "/opt/bin"), ("LD_LIBRARY_PATH", "/opt/lib"), ("PYTHONPATH", "/opt/python"),
    ("NODE_PATH", "/opt/nodejs/node_modules"), ("RUBYLIB", "/opt/ruby/lib"),
  ]

  /// Lets programs find what is in layers.
  static func add(to environment: inout [String: String]) {
    for (name, folder) in variables {
      let value = environment[name] ?? ""
      environment[name] = value.isEmpty ? folder : "\(value):\(folder)"
    }
  }

  /// The names of the extensions that layers bring. Blocks on the file system.
  ///
  /// - Throws: As ``ExtensionFiles/names(in:of:)``.
  static func extensions(in layers: [String], of function: String) throws(HostError) -> Set<String> {
    var names: Set<String> = []
    for layer in layers {
      let folder = "\(layer)/extensions"
      guard unsafe access(folder, F_OK) == 0 else { continue }
      names.formUnion(try ExtensionFiles.names(in: folder, of: function))
    }
    return names
  }

  /// Why functions with layers cannot run here; `nil` if they can.
  static func problem(_ functions: [FunctionSpecification], isolation: Isolation) -> HostError? {
    guard !isolation.hasOwnMounts, let function = functions.first(where: { !$0.layers.isEmpty }) else { return nil }
    let reason = isolation.shortcomings.last.map { " (\($0))" } ?? ""
    return HostError(
      .launcher,
      "The layers of '\(function.name)' cannot be shown at \(place): instances have no mounts of their own here\(reason). Run Kelvin as "
        + "root or where user namespaces are allowed, with isolation: auto, or leave layers out.")
  }
}
