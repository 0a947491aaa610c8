import CFaultyDisk
import Testing

/// A disk under SQLite that fails at a chosen operation; CFaultyDisk.h says how. One at a time.
struct FaultyDisk {
  /// What becomes of the chosen operation.
  enum Fault: UInt32, CaseIterable {
    /// It alone fails.
    case error
    /// It alone fails for want of room.
    case full
    /// The disk is gone from then on, and of a write the first half was written.
    case gone
    /// As before, and each sector is what it was at some moment since it was synchronised.
    case power

    /// Whether the next operation works again.
    var passes: Bool { self == .error || self == .full }

    fileprivate var kind: faulty_disk_kind { faulty_disk_kind(rawValue: rawValue) }
  }

  /// Does something while operation `number` on the files of a directory fails.
  ///
  /// - Parameter body: Closes all files before it returns.
  /// - Returns: What `body` returned, and how many operations there were; 0 for none is no reason to go on.
  static func during<Result>(
    _ fault: Fault, at number: Int, in directory: String, _ body: () throws -> Result
  ) rethrows -> (result: Result, operations: Int) {
    let code = faulty_disk_install()
    precondition(code == 0, "BUG: SQLite does not take the disk, error \(code)")
    unsafe faulty_disk_arm(directory, fault.kind, number)
    var operations = 0
    let result: Result
    do {
      result = try body()
      operations = faulty_disk_disarm(UInt64(number))
    } catch {
      operations = faulty_disk_disarm(UInt64(number))
      throw error
    }
    return (result, operations)
  }
}
