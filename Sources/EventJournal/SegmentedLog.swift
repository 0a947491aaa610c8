internal import Glibc
internal import Synchronization
internal import WindowStore

/// Records in files of a folder, one file after the other. What is appended is found after a kill of the process, and after a loss
/// of power once `synchronize` has returned.
///
/// `append` may be called from any thread and neither waits nor calls the system as long as there is a segment ahead, which
/// `makeRoom` prepares. All other calls block, and follow each other.
final class SegmentedLog: Sendable {
  /// What a log says of itself.
  struct Extent: Equatable {
    /// The position of the last record; that of the last log if there is none in this one.
    var last: UInt64
    /// Up to where a checkpoint contains it.
    var truncated: UInt64
    /// What the records take that are not truncated, with those beside them in their segments.
    var bytes: Int64 = 0
    /// Whether anything is neither on the disk nor in a checkpoint.
    var isDirty = false
  }

  fileprivate struct State {
    var active: Segment?
    /// Made ahead, so that `append` never has to.
    var spare: Segment?
    /// Full, or given up; in the order of their numbers.
    var sealed: [Segment] = []
    /// Of earlier processes, in the order of their numbers.
    var found: [FoundSegment] = []
    /// The number of the last segment that was made.
    var number: UInt64
    var last: UInt64
    var truncated: UInt64 = 0
    /// The position of the last record that is no mark. A loss of power may cost marks behind it.
    var lastOfWeight: UInt64 = 0

    mutating func activate() -> Segment? {
      guard let next = spare.take() else { return nil }
      if let old = active.take() { sealed.append(old) }
      active = next
      return next
    }
  }

  let folder: String
  private let name: String
  private let identity: UInt64
  private let segmentBytes: Int
  /// How many bytes its segments may take; what does not fit is refused.
  private let bytesLimit: Mutex<Int64>
  private let state: Mutex<State>

  /// - Parameters:
  ///   - folder: Exists.
  ///   - name: How the names of its files begin.
  ///   - segmentBytes: The size of a file, unless a commit needs a larger one.
  ///   - found: What earlier processes left.
  init(
    folder: String, name: String, identity: UInt64, segmentBytes: Int, bytesLimit: Int64, found: [FoundSegment]
  ) {
    self.folder = folder
    self.name = name
    self.identity = identity
    self.segmentBytes = segmentBytes
    self.bytesLimit = Mutex(bytesLimit)
    let last = found.map(\.last).max() ?? 0
    state = Mutex(State(found: found, number: found.map(\.number).max() ?? 0, last: last))
  }

  // MARK: Appending

  /// Appends a record. Never waits.
  ///
  /// - Returns: Its position; `nil` if there is no room.
  func append(_ kind: RecordKind, payloadBytesMax: Int, _ write: (inout RecordWriter) -> Void) -> UInt64? {
    state.withLock { state in
      let position = state.last + 1
      var isAppended =
        state.active?.append(kind, position: position, payloadBytesMax: payloadBytesMax, write) ?? false
      if !isAppended, let next = state.activate() {
        isAppended = next.append(kind, position: position, payloadBytesMax: payloadBytesMax, write)
      }
      guard isAppended else { return nil }
      state.last = position
      if kind != .mark { state.lastOfWeight = position }
      return position
    }
  }

  /// Appends records and has them on the disk: all of them, or none.
  ///
  /// - Returns: The position of the first; the others follow.
  /// - Throws: ``StoreError`` if there is no room, or the disk does not take them.
  func commit(_ kind: RecordKind, _ payloads: [[UInt8]]) throws(StoreError) -> UInt64 {
    let bytes = payloads.reduce(0) { $0 + RecordHeader.bytes(ofPayload: $1.count) } + 2 * RecordHeader.alignment
    let segment = try segment(withRoom: bytes)
    let (offset, before) = (segment.used, segment.last)
    let first = state.withLock { state in
      let first = state.last + 1
      for payload in payloads {
        let isAppended = segment.append(kind, position: state.last + 1, payloadBytesMax: payload.count) { writer in
          writer.bytes(payload)
        }
        precondition(isAppended, "BUG: no room for \(payload.count) bytes in \(segment.room)")
        state.last += 1
      }
      return first
    }
    do {
      try synchronize()
      return first
    } catch {
      state.withLock { state in
        segment.takeBack(to: offset, before)
        state.last = first - 1
        // What the disk refused once, it may seem to take the next time without having it.
        if state.active === segment, let old = state.active.take() { state.sealed.append(old) }
      }
      throw error
    }
  }

  private func expectRoom(_ bytes: Int) throws(StoreError) {
    let limit = bytesLimit.withLock { $0 }
    guard state.withLock({ $0.usedBytes }) + Int64(bytes) <= limit else {
      throw StoreError(
        .full, "the journal has reached its limit of \(limit) bytes, because the store takes no checkpoints")
    }
  }

  private func segment(withRoom bytes: Int) throws(StoreError) -> Segment {
    try expectRoom(bytes)
    if let active = state.withLock({ $0.active }), active.room >= bytes { return active }
    let needed = SegmentHeader.bytes + bytes
    if state.withLock({ $0.spare.map { $0.capacity < needed } ?? true }) {
      let new = try makeSegment(capacity: max(segmentBytes, (needed + 4_095) / 4_096 * 4_096))
      let unused = state.withLock { state in
        defer { state.spare = new }
        return state.spare
      }
      if let unused { unsafe unlink(unused.path) }
    }
    guard let next = state.withLock({ $0.activate() }) else {
      throw StoreError(.failed, "the journal has no segment")
    }
    return next
  }

  // MARK: Room

  /// Whether `makeRoom()` has something to do.
  var needsRoom: Bool { state.withLock { $0.spare == nil } }

  /// Prepares the segments that ``append(_:payloadBytesMax:_:)`` needs.
  ///
  /// - Throws: ``StoreError`` if there is no room for them.
  func makeRoom() throws(StoreError) {
    if state.withLock({ $0.spare == nil }) {
      let spare = try makeSegment(capacity: segmentBytes)
      state.withLock { $0.spare = spare }
    }
    guard state.withLock({ $0.active == nil }) else { return }
    _ = state.withLock { $0.activate() }
    try makeRoom()
  }

  private func makeSegment(capacity: Int) throws(StoreError) -> Segment {
    try expectRoom(0)
    let (number, last) = state.withLock { state in
      state.number += 1
      return (state.number, state.last)
    }
    let header = SegmentHeader(number: number, identity: identity, base: last)
    let segment = try Segment(path: path(number), header: header, capacity: capacity)
    FoundSegment.synchronizeFolder(folder)
    return segment
  }

  private func path(_ number: UInt64) -> String { FoundSegment.path(folder: folder, name: name, number: number) }

  /// Lets records take only so many further bytes.
  func limit(furtherBytes bytes: Int64) {
    bytesLimit.withLock { $0 = state.withLock { $0.usedBytes } + bytes }
  }

  // MARK: The disk

  /// Has all that was appended on the disk.
  ///
  /// - Returns: Whether there was anything that was not.
  /// - Throws: ``StoreError`` if the disk does not take it.
  @discardableResult
  func synchronize() throws(StoreError) -> Bool {
    let dirty = state.withLock { state in
      (state.sealed + [state.active].compactMap { $0 }).filter { $0.last > $0.synchronized }.map { ($0, $0.last) }
    }
    for (segment, last) in dirty {
      try segment.synchronize()
      state.withLock { _ in segment.synchronized = max(segment.synchronized, last) }
    }
    return !dirty.isEmpty
  }

  /// Whether its files are where they belong.
  var isInPlace: Bool {
    let segments = state.withLock { state in state.sealed + [state.active, state.spare].compactMap { $0 } }
    return segments.allSatisfy { $0.isInPlace }
  }

  /// Gives up all segments, whose files are gone, and begins anew; positions go on.
  func abandon() {
    state.withLock { state in (state.active, state.spare, state.sealed, state.found) = (nil, nil, [], []) }
  }

  /// Removes all its files: a checkpoint contains everything.
  func removeAll() {
    let paths = state.withLock { state in
      defer { (state.active, state.spare, state.sealed, state.found) = (nil, nil, [], []) }
      return (state.sealed + [state.active, state.spare].compactMap { $0 }).map(\.path) + state.found.map(\.path)
    }
    for path in paths { unsafe unlink(path) }
  }

  // MARK: Truncation

  /// Whether a truncation through a position would free a segment.
  func frees(through position: UInt64) -> Bool {
    state.withLock { state in
      state.found.contains { $0.last <= position } || state.sealed.contains { $0.last <= position }
    }
  }

  /// Forgets records up to and including a position, and removes the files in which no other is left.
  ///
  /// - Throws: ``StoreError`` if a file cannot be removed.
  func truncate(through position: UInt64) throws(StoreError) {
    let removed = state.withLock { state in
      state.truncated = max(state.truncated, min(position, state.last))
      let paths =
        state.found.filter { $0.last <= position }.map(\.path) + state.sealed.filter { $0.last <= position }.map(\.path)
      state.found.removeAll { $0.last <= position }
      state.sealed.removeAll { $0.last <= position }
      return paths
    }
    for path in removed where unsafe unlink(path) != 0 && errno != ENOENT {
      throw JournalErrors.system(errno, "\(path) cannot be removed")
    }
  }

  /// Gives out only positions above one from now on.
  func skip(to position: UInt64) { state.withLock { $0.last = max($0.last, position) } }

  // MARK: Reading

  /// What it holds.
  var extent: Extent {
    state.withLock { state in
      let segments = state.sealed + [state.active].compactMap { $0 }
      return Extent(
        last: state.last, truncated: state.truncated,
        bytes: segments.reduce(0) { $0 + ($1.last > state.truncated ? Int64($1.used) : 0) }
          + state.found.reduce(0) { $0 + ($1.last > state.truncated ? Int64($1.bytes) : 0) },
        isDirty: state.lastOfWeight > state.truncated
          && segments.contains { state.lastOfWeight > $0.synchronized && $0.last > $0.synchronized })
    }
  }

  /// The files that hold what is not truncated, in their order, and from which position on that is.
  var content: (paths: [String], truncated: UInt64) {
    state.withLock { state in
      (state.found.map(\.path) + (state.sealed + [state.active].compactMap { $0 }).map(\.path), state.truncated)
    }
  }
}

extension SegmentedLog.State {
  /// What the records in all of its files take.
  fileprivate var usedBytes: Int64 {
    (sealed + [active].compactMap { $0 }).reduce(0) { $0 + Int64($1.used) } + found.reduce(0) { $0 + Int64($1.bytes) }
  }
}
