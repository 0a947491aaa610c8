import Logging

/// The external extensions that a function's configuration stands for, as the file system has them now.
struct FunctionExtensions {
  /// All of them, sorted.
  var names: [String]
  /// Those that its layers bring.
  var layerNames: Set<String>

  /// Blocks on the file system; warns of files that were surely meant to be extensions and cannot be started.
  ///
  /// - Throws: ``HostError`` with ``HostError/Code/configuration`` if a folder cannot be read or has more than AWS allows.
  init(of function: FunctionSpecification, logger: Logger) throws(HostError) {
    var programs: [String] = []
    if let directory = function.extensions {
      let files = try ExtensionFiles.list(in: directory, of: function.name)
      programs = files.programs
      for name in files.others {
        logger.warning(
          "A file in a directory of extensions is not executable, so it is not started: chmod +x it, or move it elsewhere.",
          metadata: ["function": "\(function.name)", "file": "\(directory)/\(name)"])
      }
    }
    let layers = try LayerFolders.extensions(in: function.layers, of: function.name)
    layerNames = layers.subtracting(programs)
    names = layers.union(programs).sorted()
  }
}

extension HostedFunction {
  /// Instances that start from now on have these extensions.
  mutating func take(_ extensions: FunctionExtensions) {
    extensionNames = extensions.names
    layerExtensions = extensions.layerNames
  }
}
