import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import QueueAPI
import QueueStore
import Text
import WindowStore

/// What is configured of an asynchronous event when it is accepted.
struct EventSettings: Hashable, Sendable {
  var limits = EventLimits()
  var destinations = EventDestinations()

  init(limits: EventLimits = EventLimits(), destinations: EventDestinations = EventDestinations()) {
    self.limits = limits
    self.destinations = destinations
  }

  /// As the store keeps it.
  var stored: String {
    var writer = JSONWriter()
    writer.object {
      if let repetitionsMax = limits.repetitionsMax { $0.member("repetitions", repetitionsMax) }
      if let ageMax = limits.ageMax { $0.member("age", ageMax.count) }
      if let arn = destinations.onSuccess { $0.member("onSuccess", arn) }
      if let arn = destinations.onFailure { $0.member("onFailure", arn) }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// What ``stored`` wrote.
  init(stored text: String) {
    guard let value = ByteBuffer(string: text).json else { return }
    limits.repetitionsMax = value["repetitions"]?.int
    limits.ageMax = value["age"]?.int.map { Nanoseconds(Int64($0)) }
    destinations = EventDestinations(onSuccess: value["onSuccess"]?.string, onFailure: value["onFailure"]?.string)
  }
}

/// What a destination is told of an event, as AWS does.
enum EventConclusion {
  /// How it ended.
  enum Condition: String {
    case success = "Success"
    case retriesExhausted = "RetriesExhausted"
    case ageExceeded = "EventAgeExceeded"
    case zeroReservedConcurrency = "ZeroReservedConcurrency"

    init(_ reason: AsyncQueue<QueuedEvent>.DropReason) {
      switch reason {
      case .retriesExhausted: self = .retriesExhausted
      case .ageExceeded: self = .ageExceeded
      case .zeroReservedConcurrency: self = .zeroReservedConcurrency
      }
    }
  }

  /// - Parameter result: That of the last attempt; `nil` if the event was not tried then.
  static func document(
    request: RequestID, arn: String, version: FunctionVersion, condition: Condition, attempts: Int, payload: ByteBuffer,
    result: InvocationResult?, at now: Timestamp
  ) -> String {
    var writer = JSONWriter(capacity: 512 + payload.readableBytes)
    writer.object { writer in
      writer.member("version", "1.0")
      writer.member("timestamp", RFC3339.milliseconds(nanoseconds: now.nanoseconds))
      writer.key("requestContext")
      writer.object {
        $0.member("requestId", request.value.uuidText)
        $0.member("functionArn", arn)
        $0.member("condition", condition.rawValue)
        $0.member("approximateInvokeCount", attempts)
      }
      writer.key("requestPayload")
      writer.verbatim(String(buffer: payload))
      guard let result else { return }
      writer.key("responseContext")
      writer.object {
        $0.member("statusCode", 200)
        $0.member("executedVersion", version.text)
        if case .failure = result { $0.member("functionError", "Unhandled") }
      }
      writer.key("responsePayload")
      let answer =
        switch result {
        case .success(let answer): answer
        case .failure(let fault): fault.document
        }
      // Whatever a function answers is passed on; a document has to be one.
      if answer.jsonProblem() == nil {
        writer.verbatim(String(buffer: answer))
      } else {
        writer.string(String(buffer: answer))
      }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

/// Why what became of an event was not sent.
enum SendingProblem: Sendable {
  /// Later it may be: a disk that is full, a queue that is.
  case passing(String)
  /// It never will be.
  case lasting(String)
}

extension AsynchronousSource {
  /// Whether the host has the queue or function that an ARN names, and can send it what became of events.
  func isDestination(_ arn: String, in host: isolated HostCore) -> Bool {
    if let name = QueueName.name(arn: arn) { return host.queues.byName[name].map { !$0.isFIFO } ?? false }
    guard let reference = try? FunctionReference(arn, queryQualifier: nil) else { return false }
    return arn.hasPrefix("arn:") && (try? host.target(reference.name, qualifier: reference.qualifier)) != nil
  }

  /// Sends a document to a queue, or to a function as an event.
  ///
  /// - Parameter done: Told once it is on the disk, or why it is not.
  func send(
    _ document: String, to arn: String, in host: isolated HostCore,
    _ done: @escaping @Sendable (isolated HostCore, SendingProblem?) -> Void
  ) {
    if let name = QueueName.name(arn: arn) {
      guard let queue = host.queues.byName[name] else { return done(host, .lasting("there is no queue \(name)")) }
      guard let entry = SendEntry(document: document, queue.settings) else {
        return done(host, .lasting("it is larger than the queue's messages may be"))
      }
      guard host.queues.messagesCount < Queues.messagesMax else {
        return done(host, .lasting("the queues hold as many messages as they may"))
      }
      return host.queues.messages.send([entry], to: queue, in: host) { host, result in
        switch result {
        case .success: done(host, nil)
        case .failure(let error): done(host, .passing(error.message))
        }
      }
    }
    guard let reference = try? FunctionReference(arn, queryQualifier: nil),
      let target = try? host.target(reference.name, qualifier: reference.qualifier)
    else { return done(host, .lasting("there is no function \(arn)")) }
    let (now, id) = (host.clock.now(), host.newRequestID())
    let event = QueuedEvent(
      function: target.index, version: target.version, payload: ByteBuffer(string: document), clientContext: nil,
      arn: target.arn, qualifier: target.qualifier ?? "", trace: TraceID(sent: nil, of: id, at: now),
      settings: host.controlPlane.eventSettings(of: target))
    accept(event, as: id, at: now, in: host) { [host] acceptance in
      host.assumeIsolated { host in
        switch acceptance {
        case .kept: done(host, nil)
        case .full: done(host, .passing("the queue of asynchronous events is full"))
        case .failed(let error): done(host, .passing(error.message))
        }
      }
    }
  }
}
