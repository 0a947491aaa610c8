public import Lifecycle

/// What can be added up about the instances of a function.
struct InstanceTally: Sendable {
  static let empty = InstanceTally()

  var initializations = WordCounts<InitializationType>()
  var initializationFailures: UInt64 = 0
  var warmUpFailures: UInt64 = 0
  var stops = WordCounts<StopReason>()
  var initialization = Distribution(.duration)
  var warmUp = Distribution(.duration)
  var lifetime = Distribution(.duration)
}

extension Tally {
  // In most windows of most functions no instance starts or stops, so these counts take room only where one does. Each is
  // read for itself: lending out the whole would allocate a frame for every series of a scrape.

  /// Initializations that ended, by why the instance was started; failed ones too.
  public var initializations: WordCounts<InitializationType> {
    get { instancesIfAny?.value.initializations ?? WordCounts() }
    _modify { yield &instances.initializations }
  }

  /// Initializations that ended in an error or ran out of time; they are in ``initializations``, too.
  public var initializationFailures: UInt64 {
    get { instancesIfAny?.value.initializationFailures ?? 0 }
    _modify { yield &instances.initializationFailures }
  }

  /// Warm-up hooks that ended in an error.
  public var warmUpFailures: UInt64 {
    get { instancesIfAny?.value.warmUpFailures ?? 0 }
    _modify { yield &instances.warmUpFailures }
  }

  /// Instances that stopped, by why they did.
  public var instanceStops: WordCounts<StopReason> {
    get { instancesIfAny?.value.stops ?? WordCounts() }
    _modify { yield &instances.stops }
  }

  /// How long each of ``initializations`` took, warm-up included.
  public var initialization: Distribution {
    get { instancesIfAny?.value.initialization ?? Distribution(.duration) }
    _modify { yield &instances.initialization }
  }

  /// How long each warm-up hook took, those that failed included.
  public var warmUp: Distribution {
    get { instancesIfAny?.value.warmUp ?? Distribution(.duration) }
    _modify { yield &instances.warmUp }
  }

  /// From the start of an instance's process to its end.
  public var instanceLifetime: Distribution {
    get { instancesIfAny?.value.lifetime ?? Distribution(.duration) }
    _modify { yield &instances.lifetime }
  }
}
