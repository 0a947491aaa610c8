import Lifecycle
import NIOCore

/// A function, as the host has it now.
struct FunctionState {
  let id: FunctionID
  let index: FunctionIndex
  let configuration: FunctionConfiguration
  /// What the function's code configures; kelvin.yaml goes before it.
  var codeMemoryBytes: Int64?
  var codeTimeout: Nanoseconds?
  var pool: FunctionPool
  /// Admitted, without an instance.
  var waiting: [RequestID: Invocation] = [:]
  var instances: [InstanceKey: Instance] = [:]
  /// When the pool is asked next whether time changed anything.
  var tick: (time: Timestamp, task: Scheduled<Void>)?

  init(_ configuration: FunctionConfiguration, index: FunctionIndex, instancesLimit: Int) {
    id = FunctionID(configuration.name)
    self.index = index
    self.configuration = configuration
    pool = FunctionPool(instancesLimit: instancesLimit, idleLimit: configuration.idleLimit)
  }

  var memoryBytes: Int64 { configuration.memoryBytes ?? codeMemoryBytes ?? FunctionConfiguration.defaultMemoryBytes }
  var timeout: Nanoseconds { configuration.timeout ?? codeTimeout ?? FunctionConfiguration.defaultTimeout }
  var temporaryStorageBytes: Int64 {
    configuration.temporaryStorageBytes ?? FunctionConfiguration.defaultTemporaryStorageBytes
  }

  func limits(at time: Timestamp) -> FunctionLimitsChanged {
    FunctionLimitsChanged(
      time: time, reserved: configuration.reserved.map(Int64.init), memoryLimitBytes: memoryBytes, timeout: timeout,
      temporaryStorageLimitBytes: temporaryStorageBytes)
  }
}
