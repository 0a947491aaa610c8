import HostRules
import Lifecycle

/// The moves of messages from dead-letter queues that were asked for, the newest first.
struct MoveTasks {
  struct Task {
    var handle: String
    var source: String
    var destination: String?
    var startedAt: Timestamp
    var movedCount = 0
    var toMove: Int
    var isDone = false
  }

  /// As many of each queue as SQS tells.
  private static let keptMax = 10

  private var tasks: [String: [Task]] = [:]

  func tasks(of queue: String) -> [Task] { tasks[queue] ?? [] }

  mutating func begin(_ task: Task) {
    tasks[task.source, default: []].insert(task, at: 0)
    if let count = tasks[task.source]?.count, count > MoveTasks.keptMax { tasks[task.source]?.removeLast() }
  }

  mutating func update(_ handle: String, of queue: String, moved: Int, isDone: Bool) {
    guard let position = tasks[queue]?.firstIndex(where: { $0.handle == handle }) else { return }
    tasks[queue]?[position].movedCount += moved
    tasks[queue]?[position].isDone = isDone
  }

  mutating func forget(_ queue: String) { tasks[queue] = nil }
}
