import LambdaRecords
import Lifecycle
import NIOCore
import Sandboxes

// How the host uses records and lines: on buffers of NIO, and of the programs that its sandboxes run.

extension InstanceProgram {
  /// Whose its lines are.
  var lineSource: LogLine.LineSource {
    switch self {
    case .runtime: .function
    case .extension(let name): .extension(name)
    }
  }
}

extension TelemetryItem {
  /// See ``records(_:)``.
  func buffers(_ schema: TelemetrySchema) -> [ByteBuffer] { records(schema).map { ByteBuffer(bytes: $0) } }
}

extension LogFile.Loss {
  /// As records and lines tell it.
  var record: PlatformEvent.LogsDropped {
    PlatformEvent.LogsDropped(bytes: Int64(bytes), records: Int64(lines), reason: reason)
  }
}

extension TelemetryBuffer.Dropped {
  /// As records tell it.
  var record: PlatformEvent.LogsDropped {
    PlatformEvent.LogsDropped(bytes: Int64(bytes), records: Int64(records), reason: TelemetryBuffer.reason)
  }
}
