/// How sandboxes are isolated: as strictly as the kernel and this process's rights allow, which is found out once at
/// start.
package struct Isolation: Hashable, Sendable {
  /// How memory is kept below its limit.
  package enum Memory: Hashable, Sendable {
    /// By a control group of this version of the kernel's interface.
    case controlGroup(version: Int)
    /// By looking at all processes ten times a second.
    case sampling
  }

  /// How temporary storage is kept below its limit.
  package enum Storage: Hashable, Sendable {
    /// `/tmp` is a file system of its own, of exactly that size.
    case fileSystem
    /// A folder of its own, in `TMPDIR`, which is looked at once a second.
    case folder
  }

  /// How memory is kept below its limit.
  package var memory: Memory
  /// How temporary storage is kept below its limit.
  package var storage: Storage
  /// Whether a process namespace ends every process with its instance, whatever it did to its parents.
  package var hasOwnProcesses: Bool
  /// Whether shared memory and message queues are its own.
  package var hasOwnMessages: Bool
  /// Whether instances have mounts of their own, without which there is no `/opt` for layers.
  package var hasOwnMounts: Bool
  /// Whether namespaces and mounts are an ordinary user's own, in a user namespace.
  package var hasOwnUser: Bool
  /// Whether the kernel limits how many processes and threads there are.
  package var limitsProcesses: Bool
  /// One sentence for each limit that is kept in a weaker way, and why.
  package var shortcomings: [String]

  /// Parts that are not listed are not isolated.
  package init(
    memory: Memory, storage: Storage, hasOwnProcesses: Bool, hasOwnMessages: Bool,
    hasOwnMounts: Bool = false, hasOwnUser: Bool = false, limitsProcesses: Bool = false, shortcomings: [String] = []
  ) {
    self.memory = memory
    self.storage = storage
    self.hasOwnProcesses = hasOwnProcesses
    self.hasOwnMessages = hasOwnMessages
    self.hasOwnMounts = hasOwnMounts
    self.hasOwnUser = hasOwnUser
    self.limitsProcesses = limitsProcesses
    self.shortcomings = shortcomings
  }

  /// Only what works everywhere.
  static let weakest = Isolation(
    memory: .sampling, storage: .folder, hasOwnProcesses: false, hasOwnMessages: false)

  /// What is enforced, in one line.
  package var summary: String {
    let memory =
      switch memory {
      case .controlGroup(let version): "memory by control group (v\(version))"
      case .sampling: "memory by sampling"
      }
    let storage = storage == .fileSystem ? "/tmp of a fixed size" : "TMPDIR with a checked quota"
    var parts = [memory, storage, hasOwnProcesses ? "process namespace" : "process groups"]
    if hasOwnUser { parts.append("user namespace") }
    if hasOwnMessages { parts.append("own shared memory") }
    if limitsProcesses { parts.append("\(SandboxSpecification.processesMaxStandard) processes") }
    return parts.joined(separator: ", ")
  }

  /// Whether the host tries to isolate at all.
  package enum Mode: String, CaseIterable, Hashable, Sendable {
    /// As much as is allowed.
    case auto
    /// Nothing that needs rights: for debugging.
    case none
  }
}
