public import Lifecycle

/// What can be added up about a function: counts and distributions.
///
/// A commutative monoid: `Tally()` is neutral, and any order and grouping of merges gives the same tally. Every number has a row in
/// ``TallyNumber/all``.
public struct Tally: Sendable, Equatable {
  /// Finished invocations, by what brought them.
  public var invocations = WordCounts<Trigger>()
  /// Invocations that did not end in success, timeouts and crashes included (as CloudWatch's Errors).
  public var errors: UInt64 = 0
  /// Invocations whose caller saw a 504, by whose deadline it was.
  public var timeouts = WordCounts<TimeoutSource>()
  /// Invocations in which the process ended, out of memory not included.
  public var crashes: UInt64 = 0
  /// Invocations in which the process was ended because it broke its memory limit.
  public var outOfMemory: UInt64 = 0
  /// Refused invocations; not part of ``invocations`` or ``errors``.
  public var throttles = WordCounts<ThrottleReason>()
  /// Invocations that waited for an on-demand initialization.
  public var coldStarts: UInt64 = 0
  /// Invocations that ran on provisioned concurrency.
  public var provisionedInvocations: UInt64 = 0
  /// Invocations that ran on demand because the provisioned pool was full.
  public var spilloverInvocations: UInt64 = 0
  /// Billed time in nanoseconds.
  public var billedNanoseconds: Int128 = 0
  /// Time from hand-over to the end of each invocation.
  public var duration = Distribution(.duration)
  /// The most memory that the instance had used by the end of each invocation; without those of which it is not known.
  public var memoryUsed = Distribution(.bytes)
  /// `nil` while no instance of the function did anything.
  var instancesIfAny: Boxed<InstanceTally>?
  /// `nil` while no request came over HTTP.
  var httpIfAny: Boxed<HTTPTally>?

  /// Nothing counted: the neutral element.
  public init() {}

  /// What the function's instances did, to be changed.
  var instances: InstanceTally {
    get { instancesIfAny?.value ?? InstanceTally.empty }
    _modify {
      if instancesIfAny == nil { instancesIfAny = Boxed(InstanceTally.empty) }
      yield &instancesIfAny!.value
    }
  }

  /// The requests over HTTP, to be changed.
  var http: HTTPTally {
    get { httpIfAny?.value ?? HTTPTally.empty }
    _modify {
      if httpIfAny == nil { httpIfAny = Boxed(HTTPTally.empty) }
      yield &httpIfAny!.value
    }
  }

  /// Adds the numbers of another tally, each as its row in ``TallyNumber`` says.
  ///
  /// - Complexity: O(cells of the distributions).
  public mutating func merge(_ other: Tally) {
    let duration = mergedHTTPDuration(with: other)
    for number in TallyNumber.all where number.field != .httpDuration { number.merge(other, into: &self) }
    if let duration { http.duration = duration }
  }

  /// Whether both have counted the same. An instance tally that is empty is the same as none.
  public static func == (left: Tally, right: Tally) -> Bool {
    TallyNumber.all.allSatisfy { $0.isEqual(left, right) }
  }
}
