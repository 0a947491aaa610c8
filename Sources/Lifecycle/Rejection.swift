/// Why an event was not counted.
public enum Rejection: UInt8, Word {
  /// Its time lies before 1970.
  case beforeEpoch
  /// Its time, or its end, lies further ahead of the clock than is believed.
  case future
  /// The function or the event source has no name, one that is longer than ``FunctionID/nameBytesLimit``, or one that is not UTF-8.
  case functionName
  /// The subject does not fit the kind, such as the start of an instance without the instance.
  case subject
  /// It is not JSON, a value or column that it must have is missing, or one of them cannot be read or be true.
  case malformed
  /// A word that Kelvin does not know, such as an outcome `maybe`.
  case unknownWord

  /// Kelvin's own word, which is the label `reason` of `kelvin_rejected_events_total`.
  public var name: String {
    switch self {
    case .beforeEpoch: "before-epoch"
    case .future: "future"
    case .functionName: "function-name"
    case .subject: "subject"
    case .malformed: "malformed"
    case .unknownWord: "unknown-word"
    }
  }

  /// What is wrong, as a sentence about the event.
  public var sentence: String {
    switch self {
    case .beforeEpoch: "its time lies before 1970"
    case .future: "its time lies too far in the future"
    case .functionName:
      "the name or version is empty, longer than \(FunctionID.nameBytesLimit) bytes, or not UTF-8"
    case .subject: "this kind of event needs another subject: an instance, a function, an event source, or the account"
    case .malformed: "it cannot be read, or has an amount that cannot be"
    case .unknownWord: "it has an unknown word"
    }
  }
}

/// An event of a batch that was not counted.
public struct RejectedEvent: Hashable, Sendable {
  /// Its place in the batch as it was sent, from 0.
  public var index: Int
  /// Why, to branch on.
  public var reason: Rejection
  /// Why, as a sentence for people; it may quote text of the batch.
  public var sentence: String

  /// Makes a rejection; without a sentence, with that of its reason.
  public init(index: Int, reason: Rejection, sentence: String? = nil) {
    self.index = index
    self.reason = reason
    self.sentence = sentence ?? reason.sentence
  }
}
