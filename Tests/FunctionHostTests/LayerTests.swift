import Foundation
import Lifecycle
import Sandboxes
import Testing

@testable import FunctionHost
import LambdaAPI

@Suite struct `Layers` {
  private func function(_ name: String = "f", layers: [String]) -> FunctionSpecification {
    var function = FunctionSpecification(name: name, command: ["f"], directory: "/")
    function.layers = layers
    return function
  }

  @Test func `are looked in after everything else, and only by functions that have some`() {
    var variables = ["PATH": "/usr/bin", "PYTHONPATH": "/own", "LD_LIBRARY_PATH": ""]
    LayerFolders.add(to: &variables)
    #expect(variables["PATH"] == "/usr/bin:/opt/bin")
    #expect(variables["PYTHONPATH"] == "/own:/opt/python")
    // An empty part would be the working directory.
    #expect(variables["LD_LIBRARY_PATH"] == "/opt/lib")
    #expect(variables["NODE_PATH"] == "/opt/nodejs/node_modules")
    func environment(_ function: FunctionSpecification) -> [String: String] {
      InstanceEnvironment(
        function: function, own: [:], instance: InstanceID(Identifier128(high: 0, low: 1)), runtimeAPI: "127.0.0.1:1",
        memoryBytes: 1 << 27,
        base: [:]
      ).variables
    }
    #expect(environment(function(layers: ["/a"]))["PYTHONPATH"] == "/opt/python")
    #expect(environment(function(layers: []))["PYTHONPATH"] == nil)
  }

  @Test func `need mounts, and that is said at start`() throws {
    let isolation = Isolation(
      memory: .sampling, storage: .folder, hasOwnProcesses: false, hasOwnMessages: false, shortcomings: ["no rights"])
    let problem = try #require(
      LayerFolders.problem([function("g", layers: []), function(layers: ["/a"])], isolation: isolation))
    #expect(
      problem.message.hasPrefix(
        "The layers of 'f' cannot be shown at /opt: instances have no mounts of their own here (no rights)."))
    #expect(LayerFolders.problem([function("g", layers: [])], isolation: isolation) == nil)
    var better = isolation
    better.hasOwnMounts = true
    #expect(LayerFolders.problem([function(layers: ["/a"])], isolation: better) == nil)
  }

  @Test func `bring the extensions of all of them`() throws {
    let place = FileManager.default.temporaryDirectory.appendingPathComponent("kelvin-layers-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: place) }  // A test's own, and small.
    for (layer, name) in [("a", "one"), ("b", "one"), ("b", "two"), ("b", "text")] {
      let folder = "\(place)/\(layer)/extensions"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      #expect(
        FileManager.default.createFile(
          atPath: "\(folder)/\(name)", contents: nil,
          attributes: [.posixPermissions: name == "text" ? 0o600 : 0o700]))
    }
    try FileManager.default.createDirectory(atPath: "\(place)/c", withIntermediateDirectories: true)
    let names = try LayerFolders.extensions(in: ["a", "b", "c"].map { "\(place)/\($0)" }, of: "f")
    #expect(names == ["one", "two"])
  }
}

@Suite struct `A start that fails` {
  private static let request = RequestID(Identifier128(high: 0, low: 1))

  @Test(arguments: [ProcessError.Code.resources, .launcher, .shutDown])
  func `for want of something of the host's is no crash of the function`(_ code: ProcessError.Code) {
    let fault = FunctionFault.notStarted(Self.request, ProcessError(code: code, message: "No more descriptors."))
    #expect(fault.isHostsOwn && fault.outcome == .error && fault.errorType == "Sandbox.Failure")
  }

  @Test(arguments: [ProcessError.Code.commandNotFound, .notExecutable, .directory, .invalidSpecification])
  func `for what the function is made of is one`(_ code: ProcessError.Code) {
    let fault = FunctionFault.notStarted(Self.request, ProcessError(code: code, message: "Not there."))
    #expect(!fault.isHostsOwn && fault.outcome == .crash)
  }
}
