internal import Documents
internal import EventPipeline
internal import HTTPServer
internal import Lifecycle
internal import LifecycleWire
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// Reads batches of events, one at a time, so that the memory for it is bounded.
final class BatchReader: Sendable {
  /// How a batch is written.
  enum Format {
    case protobuf
    case lines

    /// By the media type, whatever its parameters; `nil` for any other.
    init?(_ headers: HTTPHeaders) {
      let type = headers.first(name: "Content-Type")?.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
      switch type {
      case "application/x-protobuf", "application/protobuf": self = .protobuf
      case "application/x-ndjson", "application/ndjson", "application/jsonl": self = .lines
      default: return nil
      }
    }
  }

  private let decoder = Mutex(EventDecoder())

  /// - Throws: `WireError` if nothing of it can be read.
  func read(
    _ body: ByteBuffer, _ format: Format, _ defaults: EventLines.Defaults
  ) throws(WireError) -> DecodedBatch {
    let result: Result<DecodedBatch, WireError> = decoder.withLock { decoder in
      let bytes = body.readableBytesUInt8Span
      do throws(WireError) {
        switch format {
        case .protobuf: return .success(try decoder.decode(bytes))
        case .lines: return .success(try EventLines.read(bytes, defaults: defaults))
        }
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

extension Agent {
  /// Takes a batch of events: reads it on a thread that may wait, and answers once it is durable and applied.
  func takeEvents(_ request: HTTPRequest, on loop: any EventLoop) -> EventLoopFuture<HTTPResponse> {
    guard let format = BatchReader.Format(request.headers) else {
      return loop.makeSucceededFuture(Routes.wrongType)
    }
    return Self.readingThreads.runIfActive(eventLoop: loop) { [batchReader] () -> Result<DecodedBatch, IntakeProblem> in
      do throws(IntakeProblem) {
        return .success(try batchReader.batch(request, format))
      } catch {
        return .failure(error)
      }
    }.flatMap { reading in
      switch reading {
      case .failure(let problem): loop.makeSucceededFuture(problem.response)
      case .success(let batch): loop.makeFutureWithTask { await self.submit(batch) }
      }
    }
  }

  private func submit(_ decoded: DecodedBatch) async -> HTTPResponse {
    let batch = EventBatch(
      source: decoded.source ?? .anonymous, sequence: decoded.sequence ?? 1, events: decoded.events)
    let completion = await pipeline.submit(batch, rejected: decoded.rejected)
    return Routes.answer(to: decoded, completion)
  }
}

extension BatchReader {
  fileprivate func batch(_ request: HTTPRequest, _ format: Format) throws(IntakeProblem) -> DecodedBatch {
    let defaults: EventLines.Defaults
    do throws(QueryProblem) {
      defaults = try BatchReader.defaults(request, format)
    } catch {
      throw IntakeProblem(.badRequest, "invalid-parameter", error.message)
    }
    let batch: DecodedBatch
    do throws(WireError) {
      batch = try read(request.body, format, defaults)
    } catch {
      let isTooLarge = error.code == .tooManyEvents
      throw IntakeProblem(
        isTooLarge ? .payloadTooLarge : .badRequest, isTooLarge ? "too-many-events" : "invalid-batch", error.message)
    }
    guard format == .lines || batch.source != nil && batch.sequence != nil else {
      throw IntakeProblem(
        .badRequest, "invalid-batch", "the batch has no source and sequence; a protobuf batch needs both")
    }
    return batch
  }

  /// Function and instance of lines that do not name them.
  private static func defaults(_ request: HTTPRequest, _ format: Format) throws(QueryProblem) -> EventLines.Defaults {
    guard let items = request.queryItems else {
      throw QueryProblem("query", request.query ?? "", "it has an escape that means nothing")
    }
    var defaults = EventLines.Defaults()
    for item in items {
      guard format == .lines else {
        throw QueryProblem(item.name, item.value ?? "", "a protobuf batch takes no parameters")
      }
      switch item.name {
      case "function": defaults.function = try FunctionID(parameter: item.name, item.value)
      case "instance":
        guard let value = item.value, let identifier = Identifier128(text: value) else {
          throw QueryProblem(item.name, item.value ?? "", "write a UUID, or 32 hexadecimal digits")
        }
        defaults.instance = InstanceID(identifier)
      default:
        throw QueryProblem(item.name, item.value ?? "", "there is no such parameter; valid are function, instance")
      }
    }
    return defaults
  }
}

/// Why a batch is refused before anybody looks at its events.
private struct IntakeProblem: Error {
  var response: HTTPResponse

  init(_ status: HTTPResponseStatus, _ code: String, _ message: String) {
    response = Routes.error(status, code, message)
  }
}

extension Routes {
  fileprivate static let wrongType: HTTPResponse = {
    var response = error(
      .unsupportedMediaType, "unsupported-type",
      "Say with Content-Type what the body is: application/x-protobuf or application/x-ndjson.")
    response.headers.add(name: "Accept", value: "application/x-protobuf, application/x-ndjson")
    return response
  }()

  fileprivate static func answer(to batch: DecodedBatch, _ completion: Completion) -> HTTPResponse {
    let count = batch.events.count
    switch completion {
    case .applied: return answer(IntakeDocument(accepted: count, duplicates: 0, rejected: batch.rejected))
    case .duplicate: return answer(IntakeDocument(accepted: 0, duplicates: count, rejected: batch.rejected))
    case .appliedInPart(let exceptions):
      let indices = batch.indices
      let others = exceptions.rejected.map { event in
        var event = event
        event.index = indices[event.index]
        return event
      }
      let accepted = count - exceptions.duplicates - others.count
      return answer(
        IntakeDocument(
          accepted: accepted, duplicates: exceptions.duplicates,
          rejected: (batch.rejected + others).sorted { $0.index < $1.index }))
    case .refused(let refusal): return answer(refusal)
    }
  }

  static func answer(_ document: IntakeDocument) -> HTTPResponse { json(.ok, document.json()) }

  /// What it is of use to try again says when.
  static func answer(_ refusal: Refusal) -> HTTPResponse {
    let (status, code, seconds): (HTTPResponseStatus, String, Int) =
      switch refusal.reason {
      case .noJournal: (.serviceUnavailable, "no-journal", 60)
      case .notRunning: (.serviceUnavailable, "unavailable", 1)
      case .queueFull: (.tooManyRequests, "queue-full", 1)
      case .diskFull: (.serviceUnavailable, "disk-full", 10)
      case .journalFailed: (.serviceUnavailable, "journal-failed", 10)
      }
    var response = error(status, code, refusal.message)
    response.headers.add(name: "Retry-After", value: String(seconds))
    return response
  }
}
