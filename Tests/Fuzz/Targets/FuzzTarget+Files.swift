import Configuration
import Lifecycle
import Terminal
import Windows

@testable import WindowStore

extension FuzzTarget {
  /// What files and terminals bring.
  static let files: [FuzzTarget] = [
    FuzzTarget("kelvin-yaml") { bytes in
      let reading = ConfigurationFile.read(bytes, folder: "/srv")
      for problem in reading.problems {
        require(problem.line >= 1 && problem.column >= 1, "a problem at \(problem.line):\(problem.column)")
      }
    },
    FuzzTarget("store-rows", rows),
    FuzzTarget("keys") { bytes in
      var keys = KeyDecoder()
      for start in stride(from: 0, to: bytes.count, by: 3) {
        _ = keys.decode(bytes[start..<min(bytes.count, start + 3)])
      }
      _ = keys.giveUp()
    },
  ]

  /// Rows of the store, as a damaged disk may bring them: what is read can be written, and then reads the same.
  private static func rows(_ bytes: [UInt8]) {
    if let rollup = try? RollupCodec.decode(bytes) {
      let written = RollupCodec.encode(rollup)
      require((try? RollupCodec.decode(written)).map(RollupCodec.encode) == written, "a rollup reads differently")
    }
    _ = try? LiveStateCodec.decode(bytes)
    _ = try? EdgesCodec.decode(bytes)
    _ = try? FunctionCodec.decode(bytes, function: FunctionID("orders"))
  }
}
