import Synchronization
import Testing

@testable import Agent

@Suite struct `Turns of pushes` {
  private final class Log: Sendable {
    let inside = Mutex(0)
    let order = Mutex<[Int]>([])
  }

  @Test func `are taken one after the other, whoever waits`() async {
    let turns = Turns()
    let log = Log()
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask {
          await turns.take {
            log.inside.withLock { $0 += 1 }
            #expect(log.inside.withLock { $0 } == 1)
            await Task.yield()
            log.order.withLock { $0.append(number) }
            log.inside.withLock { $0 -= 1 }
          }
        }
      }
    }
    #expect(log.order.withLock { $0 }.sorted() == Array(0..<200))
  }
}
