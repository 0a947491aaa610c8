import Configuration
import FunctionHost
import HostRules
import LambdaAPI
import LambdaRecords
import LanguageRuntimes
import QueueAPI
import Sandboxes
import Schedules
import WebSocketServer

extension HostConfiguration {
  /// What the file says, in the words of the host.
  ///
  /// - Parameter environment: The host's own, of which instances get `PATH` and the like.
  init(_ settings: KelvinConfiguration, environment: [String: String]) {
    self.init(
      address: settings.host.listen.host, port: settings.host.listen.port,
      accountConcurrency: Int(settings.host.accountConcurrency),
      unreservedMinimum: Int(settings.host.unreservedMinimum), limitsRequestRate: settings.host.requestRateLimit,
      scaleOutRate: settings.host.scaleOutRate.map { Int($0) },
      functions: settings.functions.map { FunctionSpecification($0, dataDirectory: settings.agent.dataDirectory) },
      isolation: settings.host.isolation == .none ? .none : .auto, baseEnvironment: environment,
      logDirectory: "\(settings.agent.dataDirectory)/logs")
    allowedHosts = settings.host.allowedHosts
    identity = settings.host.identity
    webSockets = settings.webSockets.map(WebSocketSpecification.init)
    schedules = settings.schedules.map(ScheduleSpecification.init)
    scheduleFile = "\(settings.agent.dataDirectory)/schedules.json"
    dataDirectory = settings.agent.dataDirectory
    queues = settings.queues.map(QueueSpecification.init)
  }
}

extension QueueSpecification {
  fileprivate init(_ configuration: QueueConfiguration) {
    var settings = QueueSettings()
    settings.visibilityTimeout = configuration.visibilityTimeout
    settings.retention = configuration.retention
    settings.delay = configuration.delay
    settings.contentBasedDeduplication = configuration.isFIFO && configuration.contentBasedDeduplication
    settings.deadLetters = configuration.deadLetterQueue.map {
      .init(queue: $0, maximumReceives: Int(configuration.maximumReceives))
    }
    self.init(
      name: configuration.name, settings: settings,
      mapping: configuration.function.map { function in
        QueueMapping(
          function: function, batch: Int(configuration.batch), retryDelay: RetryDelay(configuration.retry),
          maximumConcurrency: configuration.maximumConcurrency.map { Int($0) },
          report: configuration.reportBatchItemFailures.map { $0 ? .strict : .ignored } ?? .ifGiven)
      })
  }
}

extension RetryDelay {
  fileprivate init(_ retry: QueueConfiguration.Retry) {
    switch retry {
    case .after(let delay): self = .backOff(first: delay)
    case .visibilityTimeout: self = .visibilityTimeout
    }
  }
}

extension FunctionSpecification {
  fileprivate init(_ settings: FunctionSettings, dataDirectory: String) {
    self.init(
      name: settings.name,
      command: settings.runtime.map { RuntimeFiles.command(of: $0, settings, in: dataDirectory) } ?? settings.command,
      directory: settings.directory, environment: settings.environment,
      memoryBytes: settings.memoryBytes, temporaryStorageBytes: settings.temporaryStorageBytes,
      timeout: settings.timeout, reserved: settings.reserved.map { Int($0) },
      provisioned: settings.provisioned.map { Int($0) },
      onTimeout: settings.timeoutPolicy == .continue ? .continue : .restart,
      abortSignal: settings.abortSignal.flatMap { AbortSignal(rawValue: $0.rawValue) }, abortLimit: settings.abortLimit,
      extensions: settings.extensions)
    if settings.logFormat == .json { logFormat = .json }
    freezes = settings.freezes
    startsAhead = settings.runtime != nil
    if settings.responseMode == .stream { invokeMode = .responseStream }
    layers = settings.layers
    cors = settings.cors.map(FunctionURLCORS.init)
  }
}

extension FunctionURLCORS {
  fileprivate init(_ settings: CORSSettings) {
    self.init(
      allowOrigins: settings.allowOrigins, allowMethods: settings.allowMethods, allowHeaders: settings.allowHeaders,
      exposeHeaders: settings.exposeHeaders, allowCredentials: settings.allowCredentials, maxAge: Int(settings.maxAge))
  }
}

extension ScheduleSpecification {
  fileprivate init(_ settings: ScheduleSettings) {
    self.init(name: settings.name, function: settings.function, schedule: settings.schedule)
    policy.overlap = settings.overlap == .skip ? .skip : .start
    policy.repetitionsMax = Int(settings.retries)
    policy.delay = settings.retryDelay
    policy.ageMax = settings.maximumAge
    input = settings.input
  }
}

extension WebSocketSpecification {
  fileprivate init(_ settings: WebSocketSettings) {
    self.init(name: settings.name, routes: settings.routes)
    // The reader has checked its form.
    if let key = WebSocketRouteKey(settings.key) { self.key = key }
    timeout = settings.timeout
    connectionsMax = Int(settings.connectionsMax)
    limits.idle = settings.idle
    limits.lifetime = settings.lifetime
    limits.messageBytesMax = Int(settings.messageBytesMax)
    limits.frameBytesMax = Int(settings.frameBytesMax)
    errorForm = settings.errors == .aws ? .gateway : .kelvin
    allowOrigins = settings.allowOrigins
  }
}
