import Foundation
import TestSupport
import Testing

@testable import LifecycleReporter

@Suite struct `The file of a sender` {
  private let path = NSTemporaryDirectory() + "kelvin-spill-" + UUID().uuidString

  private func batch(_ number: Int) -> [UInt8] {
    (0..<(50 + number * 7)).map { UInt8(truncatingIfNeeded: $0 * number) }
  }

  private func rest(_ file: SpillFile) -> [[UInt8]] {
    var batches: [[UInt8]] = []
    while let first = file.first(lost: { _ in }) {
      batches.append(first.batch)
      file.removeFirst()
    }
    return batches
  }

  @Test func `gives batches in their order, also to the next process`() throws {
    // What is left over is in the system's directory for temporary files.
    defer { try? FileManager.default.removeItem(atPath: path) }
    do {
      let file = try SpillFile(path: path, bytesLimit: 1 << 20)
      for number in 1...5 { try file.append(batch(number), events: number) }
      #expect(file.first(lost: { _ in })?.batch == batch(1))
      file.removeFirst()
      #expect(file.batches == 4 && file.events == 14)
      #expect(throws: SpillFile.Problem.self) { try SpillFile(path: path, bytesLimit: 1 << 20) }
    }
    let next = try SpillFile(path: path, bytesLimit: 1 << 20)
    #expect(next.batches == 5 && next.damagedBytes == 0, "what was sent is sent again: the agent knows its number")
    #expect(rest(next) == (1...5).map(batch))
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    #expect(size == 0)
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test func `has a limit`() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = try SpillFile(path: path, bytesLimit: 200)
    try file.append(batch(1), events: 1)
    try file.append(batch(2), events: 1)
    #expect(throws: SpillFile.Problem.self) { try file.append(batch(3), events: 1) }
    #expect(rest(file) == [batch(1), batch(2)])
    try file.append(batch(3), events: 1)
    #expect(rest(file) == [batch(3)])
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `loses no more than what was damaged`(_ seed: UInt64) throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    var random = SplitMix(seed: seed)
    do {
      let file = try SpillFile(path: path, bytesLimit: 1 << 20)
      for number in 1...6 { try file.append(batch(number), events: number) }
    }
    var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    let isCut = Bool.random(using: &random)
    let place = Int.random(in: 4..<bytes.count, using: &random)
    if isCut { bytes.removeSubrange(place...) } else { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let file = try SpillFile(path: path, bytesLimit: 1 << 20)
    try file.append(batch(9), events: 9)
    let found = rest(file)
    let whole = (1...6).map(batch)
    #expect(found.last == batch(9))
    #expect(found.dropLast().allSatisfy(whole.contains))
    #expect(isCut || found.count == 6)
    #expect(Array(found.dropLast()) == whole.filter(found.contains), "in their order")
  }

  @Test func `must be a file that nobody else can point elsewhere`() throws {
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/hostname")
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(throws: SpillFile.Problem.self) { try SpillFile(path: path, bytesLimit: 1 << 20) }
    #expect(throws: SpillFile.Problem.self) { try SpillFile(path: "/dev/null", bytesLimit: 1 << 20) }
    let other = path + ".txt"
    defer { try? FileManager.default.removeItem(atPath: other) }
    try Data("what somebody wrote".utf8).write(to: URL(fileURLWithPath: other))
    #expect(throws: SpillFile.Problem.self) { try SpillFile(path: other, bytesLimit: 1 << 20) }
    #expect(try String(contentsOfFile: other, encoding: .utf8) == "what somebody wrote")
  }
}
