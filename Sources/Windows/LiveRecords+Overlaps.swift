import Lifecycle

extension LiveRecords {
  mutating func overlapStarted(
    _ started: OverlapStarted, _ instance: InstanceID, _ position: Int, _ scopes: inout Scopes
  ) {
    var overlap = overlaps[started.request] ?? Overlap(position: position, instance: instance, isRemote: isRemote)
    guard overlap.start == nil else {
      scopes.statistics.eventsDuplicate &+= 1
      return
    }
    overlap.start = started.time
    scopes.changeTimelines(.overlaps, of: overlap.position) { $0.insertStart(started.time) }
    scopes.functions[overlap.position].liveOverlaps += 1
    scopes.touch(overlap.position, from: started.time, to: started.time)
    if overlap.end == nil { overlap.presumedEnd = instances[instance]?.stopped }
    if let end = overlap.end ?? overlap.presumedEnd { endOverlap(overlap.position, started.time, end, &scopes) }
    // What ended is kept until no more events of it are due, so that a repeated start is not counted again.
    overlaps[started.request] = overlap
  }

  mutating func overlapEnded(_ ended: OverlapEnded, _ instance: InstanceID, _ position: Int, _ scopes: inout Scopes) {
    guard var overlap = overlaps[ended.request] else {
      overlaps[ended.request] = Overlap(
        position: position, instance: instance, isRemote: isRemote, end: ended.time)
      return
    }
    guard overlap.end == nil else {
      scopes.statistics.eventsDuplicate &+= 1
      return
    }
    overlap.end = ended.time
    guard let start = overlap.start else {
      overlaps[ended.request] = overlap
      return
    }
    if let presumed = overlap.presumedEnd {
      scopes.changeTimelines(.overlaps, of: overlap.position) { $0.removeEnd(presumed, start: start, tag: 0) }
      scopes.functions[overlap.position].liveOverlaps += 1
      scopes.touch(overlap.position, from: start, to: presumed)
    }
    overlap.presumedEnd = nil
    endOverlap(overlap.position, start, ended.time, &scopes)
    overlaps[ended.request] = overlap
  }

  private mutating func endOverlap(_ position: Int, _ start: Timestamp, _ end: Timestamp, _ scopes: inout Scopes) {
    scopes.changeTimelines(.overlaps, of: position) { $0.insertEnd(end, start: start) }
    scopes.functions[position].liveOverlaps -= 1
    scopes.touch(position, from: start, to: max(start, end))
  }

  /// Ends overlaps that nobody will report any more: of instances that are not known to live, after finality.
  mutating func giveUpLostOverlaps(before horizon: Timestamp, _ scopes: inout Scopes) {
    guard !overlaps.isEmpty else { return }
    for (request, overlap) in overlaps where overlap.end == nil && overlap.presumedEnd == nil {
      guard let start = overlap.start, start < horizon, instances[overlap.instance]?.state == nil else { continue }
      let end = start + scopes.configuration.finality
      overlaps[request]?.presumedEnd = end
      endOverlap(overlap.position, start, end, &scopes)
    }
  }

  /// Ends overlaps with their instances, until their own ends are reported.
  mutating func presumeOverlapsEnded(at time: Timestamp, _ scopes: inout Scopes, where isAffected: (Overlap) -> Bool) {
    for (request, overlap) in overlaps
    where overlap.end == nil && overlap.presumedEnd == nil && isAffected(overlap) {
      guard let start = overlap.start else { continue }
      overlaps[request]?.presumedEnd = time
      endOverlap(overlap.position, start, time, &scopes)
    }
  }
}
